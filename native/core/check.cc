#include "core/check.h"

#include <cmath>
#include <numeric>

#include "core/command.h"
#include "core/names.h"
#include "core/races.h"
#include "core/text.h"

namespace splitpoint {

namespace {

// Doubles hold every whole number up to here.
constexpr uint64_t kMaxWhole = uint64_t(1) << 53;
constexpr uint32_t kMaxOperands = 64;
// An address that commands can be made with before there is memory.
constexpr uintptr_t kNowhere = 4096;

bool isWhole(double value) { return value >= 0 && value <= double(kMaxWhole) && value == std::floor(value); }

// All checks throw PlanError. Each relies on those before it.
class Checker {
 public:
  Checker(const Plan& plan, const std::vector<BufferSpec>& buffers) : plan_(plan), buffers_(buffers) {}

  void check() {
    checkLengths();
    checkModel();
    checkBuffers();
    checkStarts("dependencies", plan_.dependencyStart, plan_.dependency.size());
    checkStarts("operands", plan_.operands.start, plan_.operands.buffer.size());
    for (uint32_t i = 0; i < plan_.count; ++i) checkOperation(i);
    const std::vector<uintptr_t> memory(buffers_.size(), kNowhere);
    for (uint32_t i = 0; i < plan_.count; ++i) commandsOf(plan_, i, memory);
    if (auto race = raceOf(plan_, buffers_)) throw PlanError(*race);
  }

 private:
  template <class Column>
  void checkLength(const char* name, const Column& column, uint64_t expected) {
    if (column.size() == expected) return;
    throw PlanError(text("column ", name, " has ", column.size(), " rows, expected ", expected));
  }

  void checkLengths() {
    checkLength("stream", plan_.stream, plan_.count);
    checkLength("group", plan_.group, plan_.count);
    checkLength("layer", plan_.layer, plan_.count);
    checkLength("step", plan_.step, plan_.count);
    checkLength("microBatch", plan_.microBatch, plan_.count);
    checkLength("token", plan_.token, plan_.count);
    checkLength("work", plan_.work, plan_.count);
    checkLength("dependencyStart", plan_.dependencyStart, uint64_t(plan_.count) + 1);
    const Plan::Works& works = plan_.works;
    checkLength("works.kind", works.kind, works.count);
    checkLength("works.dtype", works.dtype, works.count);
    checkLength("works.m", works.m, works.count);
    checkLength("works.n", works.n, works.count);
    checkLength("works.k", works.k, works.count);
    checkLength("works.batch", works.batch, works.count);
    const Plan::Operands& operands = plan_.operands;
    checkLength("operands.start", operands.start, uint64_t(plan_.count) + 1);
    const uint64_t rows = operands.buffer.size();
    checkLength("operands.role", operands.role, rows);
    checkLength("operands.offsetBytes", operands.offsetBytes, rows);
    checkLength("operands.rowBytes", operands.rowBytes, rows);
    checkLength("operands.rows", operands.rows, rows);
    checkLength("operands.strideBytes", operands.strideBytes, rows);
    checkLength("operands.write", operands.write, rows);
  }

  void checkModel() {
    const ModelNumbers& model = plan_.model;
    for (auto [name, value] : {std::pair{"batch", model.batch},
                               {"heads", model.heads},
                               {"kvHeads", model.kvHeads},
                               {"headDim", model.headDim}}) {
      if (value < 1 || value > INT32_MAX) throw PlanError(text("model.", name, " is ", value, ", expected at least 1"));
    }
    if (model.heads % model.kvHeads) {
      throw PlanError(text("model.heads is ", model.heads, ", not a multiple of the ", model.kvHeads, " kvHeads"));
    }
    if (uint64_t(model.batch) * model.heads > INT32_MAX) {
      throw PlanError(text("model.batch · model.heads is more than ", INT32_MAX));
    }
    if (!(std::isfinite(model.ropeTheta) && model.ropeTheta > 0)) {
      throw PlanError(text("model.ropeTheta is ", model.ropeTheta, ", expected a positive number"));
    }
    if (!(std::isfinite(model.normEpsilon) && model.normEpsilon >= 0)) {
      throw PlanError(text("model.normEpsilon is ", model.normEpsilon, ", expected a number from 0 on"));
    }
  }

  void checkBuffers() {
    for (const BufferSpec& buffer : buffers_) {
      if (buffer.bytes > kMaxWhole) {
        throw PlanError(text("buffer ", buffer.name, " has ", buffer.bytes, " bytes, expected at most ", kMaxWhole));
      }
      if (uint8_t(buffer.pool) >= kPools) throw PlanError(text("buffer ", buffer.name, " is in an unknown pool"));
    }
  }

  // Starts of rows that are numbered from 0 to total.
  void checkStarts(const char* what, std::span<const uint32_t> start, uint64_t total) {
    if (start[0] != 0 || start[plan_.count] != total) {
      throw PlanError(text("the ", what, " of the operations are rows ", start[0], " to ", start[plan_.count],
                           ", expected 0 to ", total));
    }
    for (uint32_t i = 0; i < plan_.count; ++i) {
      if (start[i] > start[i + 1]) throw PlanError(text("the ", what, " of operation ", i, " end before they begin"));
    }
  }

  void checkOperation(uint32_t i) {
    if (plan_.stream[i] >= kStreams) fail(i, text("is in the unknown stream ", int(plan_.stream[i])));
    const uint32_t work = plan_.work[i];
    if (work >= plan_.works.count) fail(i, text("does the unknown work ", work));
    if (plan_.works.kind[work] >= kKinds) fail(i, text("is of the unknown kind ", int(plan_.works.kind[work])));
    if (plan_.works.dtype[work] >= kTypes) {
      fail(i, text("is of type ", int(plan_.works.dtype[work]),
                   ", but only 0 (fp32), 1 (fp16) and 2 (bf16) can be executed"));
    }
    for (uint32_t e = plan_.dependencyStart[i]; e < plan_.dependencyStart[i + 1]; ++e) {
      if (plan_.dependency[e] >= i)
        fail(i, text("waits for operation ", plan_.dependency[e], ", which is not earlier"));
    }
    const Kind kind = Kind(plan_.works.kind[work]);
    const Stream stream = kind == Kind::copyH2d      ? kH2d
                          : kind == Kind::copyD2h    ? kD2h
                          : kind == Kind::hostAttend ? kHost
                                                     : kCompute;
    if (plan_.stream[i] != stream) {
      fail(i, text("(", nameOf(kind), ") is in the stream ", nameOf(Stream(plan_.stream[i])), ", expected ",
                   nameOf(stream)));
    }
    if (plan_.operands.start[i + 1] - plan_.operands.start[i] > kMaxOperands) {
      fail(i, text("has more than ", kMaxOperands, " operands"));
    }
    for (uint32_t o = plan_.operands.start[i]; o < plan_.operands.start[i + 1]; ++o) checkOperand(i, o, kind);
  }

  void checkOperand(uint32_t i, uint32_t o, Kind kind) {
    const Plan::Operands& operands = plan_.operands;
    const uint32_t index = o - operands.start[i];
    auto failHere = [&](const std::string& problem) { fail(i, text("has operand ", index, " ", problem)); };
    if (operands.buffer[o] >= buffers_.size()) failHere(text("in the unknown buffer ", operands.buffer[o]));
    if (operands.role[o] >= kRoles) failHere(text("in the unknown role ", int(operands.role[o])));
    if (operands.write[o] > 1) failHere(text("whose write is ", int(operands.write[o]), ", expected 0 or 1"));
    const BufferSpec& buffer = buffers_[operands.buffer[o]];
    const double offset = operands.offsetBytes[o], rowBytes = operands.rowBytes[o], stride = operands.strideBytes[o];
    for (auto [name, value] : {std::pair{"offsetBytes", offset}, {"rowBytes", rowBytes}, {"strideBytes", stride}}) {
      if (!isWhole(value)) failHere(text("whose ", name, " is ", value, ", expected a whole number of bytes"));
    }
    const uint32_t rows = operands.rows[o];
    if (rows == 0 || rowBytes == 0) failHere("that is empty");
    if (rows > 1 && stride < rowBytes) {
      failHere(text("whose rows of ", rowBytes, " bytes begin every ", stride, " bytes and so overlap"));
    }
    // In doubles nothing overflows, and what is rounded is far beyond every buffer.
    const double end = offset + (rows - 1) * (rows > 1 ? stride : 0) + rowBytes;
    if (end > double(buffer.bytes)) {
      failHere(text("in bytes ", offset, " to ", end, " of ", buffer.name, ", which has ", buffer.bytes));
    }
    // Copies go from one side to the other: their input is the source.
    const bool onHost = kind == Kind::hostAttend || (kind == Kind::copyH2d && operands.write[o] == 0) ||
                        (kind == Kind::copyD2h && operands.write[o] == 1);
    if ((buffer.pool == Pool::gpu) == onHost) {
      failHere(text("in ", buffer.name, " of the pool ", nameOf(buffer.pool), ", expected ",
                    onHost ? "pinned or host" : "gpu"));
    }
  }

  [[noreturn]] void fail(uint32_t i, const std::string& problem) {
    throw PlanError(text("operation ", i, " ", problem));
  }

  const Plan& plan_;
  const std::vector<BufferSpec>& buffers_;
};

}  // namespace

void checkPlan(const Plan& plan, const std::vector<BufferSpec>& buffers) { Checker(plan, buffers).check(); }

std::optional<std::string> faultOf(const Plan& plan, const std::vector<BufferSpec>& buffers) {
  try {
    checkPlan(plan, buffers);
    return {};
  } catch (const PlanError& error) {
    return error.what();
  }
}

}  // namespace splitpoint
