#include "core/executor.h"

#include <algorithm>

#include "core/check.h"
#include "core/names.h"
#include "core/product.h"
#include "core/run.h"
#include "core/text.h"

namespace splitpoint {

namespace {

constexpr uint8_t kNaN = 0xff;  // repeated, in every type

// Copies of operands in memory that the device can write to, for as long as an execution takes.
class KeptOperands {
 public:
  KeptOperands(Device& device, const Plan& plan, const std::vector<Capture>& captures) : device_(device) {
    try {
      for (const Capture& capture : captures) keep(plan, capture);
    } catch (...) {
      release();
      throw;
    }
  }
  ~KeptOperands() { release(); }
  KeptOperands(const KeptOperands&) = delete;

  const std::vector<Keep>& list() const { return kept_; }

  std::vector<std::vector<uint8_t>> bytes() {
    std::vector<std::vector<uint8_t>> all;
    for (const Keep& keep : kept_) {
      all.emplace_back(keep.source.range.bytes());
      device_.read(Pool::pinned, keep.target, all.back().data(), all.back().size());
    }
    return all;
  }

 private:
  void keep(const Plan& plan, const Capture& capture) {
    if (capture.operation >= plan.count) {
      throw PlanError(text("captures operation ", capture.operation, " of a plan of ", plan.count));
    }
    const uint32_t first = plan.operands.start[capture.operation];
    const uint32_t count = plan.operands.start[capture.operation + 1] - first;
    if (capture.operand >= count) {
      throw PlanError(
          text("captures operand ", capture.operand, " of operation ", capture.operation, ", which has ", count));
    }
    const Operand source = operandAt(plan.operands, first + capture.operand);
    kept_.reserve(kept_.size() + 1);
    kept_.push_back({capture.operation, source, device_.allocate(Pool::pinned, source.range.bytes())});
  }

  void release() {
    for (const Keep& keep : kept_) device_.free(Pool::pinned, keep.target);
  }

  Device& device_;
  std::vector<Keep> kept_;
};

constexpr double kGibibyte = 1 << 30;

void expectRoom(const std::vector<BufferSpec>& buffers, Pool pool, uint64_t available) {
  uint64_t asked = 0;
  for (const BufferSpec& buffer : buffers) {
    if ((buffer.pool == Pool::gpu) == (pool == Pool::gpu)) asked += buffer.bytes;
  }
  if (asked <= available) return;
  const double shortfall = double(asked - available);
  throw OutOfMemory(pool, asked, available,
                    text("out of ", nameOf(pool), " memory: the plan's buffers are ", double(asked) / kGibibyte,
                         " GiB, ", double(available) / kGibibyte, " GiB are available, ", shortfall / kGibibyte,
                         " GiB short"));
}

}  // namespace

Executor::Executor(std::unique_ptr<Device> device, std::vector<BufferSpec> buffers)
    : device_(std::move(device)), buffers_(std::move(buffers)) {
  // Known at once; filling half of the memory first would take long.
  const DeviceInfo info = device_->info();
  expectRoom(buffers_, Pool::gpu, info.gpuFreeBytes);
  expectRoom(buffers_, Pool::pinned, info.hostFreeBytes);
  memory_.reserve(buffers_.size());
  try {
    for (const BufferSpec& buffer : buffers_) {
      memory_.push_back(device_->allocate(buffer.pool, std::max<uint64_t>(buffer.bytes, 1)));
    }
  } catch (...) {
    release();
    throw;
  }
}

Executor::~Executor() { release(); }

void Executor::release() {
  for (size_t i = 0; i < memory_.size(); ++i) device_->free(buffers_[i].pool, memory_[i]);
  memory_.clear();
}

char* Executor::rangeOf(uint32_t buffer, uint64_t offset, uint64_t bytes) const {
  if (buffer >= buffers_.size()) {
    throw PlanError(text("there is no buffer ", buffer, ": the plan has ", buffers_.size()));
  }
  const BufferSpec& spec = buffers_[buffer];
  if (offset > spec.bytes || bytes > spec.bytes - offset) {
    throw PlanError(text(bytes, " bytes from byte ", offset, " on are not in ", spec.name, ", which has ", spec.bytes));
  }
  return static_cast<char*>(memory_[buffer]) + offset;
}

void Executor::fill(uint32_t buffer, uint64_t offset, uint64_t count, Type type, uint64_t seed, uint64_t firstIndex,
                    float scale, float shift) {
  char* target = rangeOf(buffer, offset, product(count, bytesOf(type)));
  if (offset % bytesOf(type)) {
    throw PlanError(text("byte ", offset, " of ", buffers_[buffer].name, " is not where an element begins"));
  }
  device_->fill(buffers_[buffer].pool, {type, target, count, seed, firstIndex, scale, shift});
}

void Executor::poison(uint32_t buffer, uint64_t offset, uint64_t bytes) {
  char* target = rangeOf(buffer, offset, bytes);
  device_->setBytes(buffers_[buffer].pool, target, kNaN, bytes);
}

void Executor::read(uint32_t buffer, uint64_t offset, uint64_t bytes, void* target) {
  const char* source = rangeOf(buffer, offset, bytes);
  device_->read(buffers_[buffer].pool, source, target, bytes);
}

void Executor::write(uint32_t buffer, uint64_t offset, uint64_t bytes, const void* source) {
  char* target = rangeOf(buffer, offset, bytes);
  device_->write(buffers_[buffer].pool, source, target, bytes);
}

Execution Executor::execute(const Plan& plan, const ExecuteOptions& options) {
  checkPlan(plan, buffers_);
  std::vector<uintptr_t> addresses;
  for (void* memory : memory_) addresses.push_back(reinterpret_cast<uintptr_t>(memory));
  KeptOperands kept(*device_, plan, options.captures);
  Execution execution = Run(*device_, plan, addresses, kept.list(), options).run();
  if (!execution.cancelled) execution.captures = kept.bytes();
  return execution;
}

}  // namespace splitpoint
