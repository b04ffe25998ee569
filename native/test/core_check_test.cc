#include "core/check.h"

#include <chrono>
#include <functional>
#include <limits>

#include "test/check.h"
#include "test/hand_built_plan.h"

using namespace splitpoint;
using namespace splitpoint::test;

namespace {

// Checks that a plan of every kind is refused after `change`, with a sentence that contains `said`.
void expectFault(const char* said, const std::function<void(HandBuiltPlan&)>& change) {
  HandBuiltPlan p = planOfEveryKind();
  change(p);
  const std::optional<std::string> fault = faultOf(p.plan(), p.buffers);
  if (!fault) throw Failure(std::string("no fault, expected one that says: ") + said);
  if (fault->find(said) == std::string::npos) throw Failure(*fault + " -- expected it to say: " + said);
}

// The n-th operation of a kind.
uint32_t operationOf(const HandBuiltPlan& p, Kind kind, int nth = 0) {
  for (uint32_t i = 0; i < p.columns.work.size(); ++i) {
    if (Kind(p.columns.kind[p.columns.work[i]]) == kind && nth-- == 0) return i;
  }
  throw Failure("the plan has no such operation");
}

// Row of an operand of the n-th operation of a kind.
uint32_t operandOf(const HandBuiltPlan& p, Kind kind, uint32_t index, int nth = 0) {
  return p.columns.operandStart[operationOf(p, kind, nth)] + index;
}

double& extentOf(HandBuiltPlan& p, std::vector<double> Columns::*extent, Kind kind) {
  return (p.columns.*extent)[p.columns.work[operationOf(p, kind)]];
}

}  // namespace

TEST("a plan with every kind of operation has no fault") {
  HandBuiltPlan p = planOfEveryKind();
  CHECK(faultOf(p.plan(), p.buffers).value_or("none") == "none");
}

TEST("a plan of no operations has no fault") {
  HandBuiltPlan p;
  CHECK(!faultOf(p.plan(), p.buffers));
}

TEST("columns of unequal length are refused by name") {
  expectFault("column group has 17 rows, expected 16", [](auto& p) { p.columns.stream.pop_back(); });
  expectFault("column token has", [](auto& p) { p.columns.token.pop_back(); });
  expectFault("column dependencyStart has", [](auto& p) { p.columns.dependencyStart.push_back(0); });
  expectFault("column works.m has", [](auto& p) { p.columns.m.pop_back(); });
  expectFault("column operands.start has", [](auto& p) { p.columns.operandStart.clear(); });
  expectFault("column operands.role has", [](auto& p) { p.columns.role.push_back(0); });
}

TEST("rows that do not add up are refused") {
  expectFault("dependencies of the operations are rows", [](auto& p) { p.columns.dependencyStart.back() += 1; });
  expectFault("operands of the operations are rows 1", [](auto& p) { p.columns.operandStart.front() = 1; });
  expectFault("end before they begin", [](auto& p) { p.columns.operandStart[2] = 1'000'000; });
}

TEST("an operation that waits for itself or a later one is refused") {
  expectFault("operation 6 waits for operation 6", [](auto& p) { p.columns.dependency[0] = 6; });
  expectFault("waits for operation 4294967295", [](auto& p) { p.columns.dependency[0] = UINT32_MAX; });
}

TEST("unknown streams, works, kinds, types, buffers and roles are refused") {
  expectFault("operation 0 is in the unknown stream 4", [](auto& p) { p.columns.stream[0] = 4; });
  expectFault("operation 1 does the unknown work 1000", [](auto& p) { p.columns.work[1] = 1000; });
  expectFault("unknown kind 12", [](auto& p) { p.columns.kind[2] = 12; });
  expectFault("type 3, but only", [](auto& p) { p.columns.dtype[2] = 3; });
  expectFault("unknown buffer 99", [](auto& p) { p.columns.buffer[0] = 99; });
  expectFault("unknown role 9", [](auto& p) { p.columns.role[0] = 9; });
}

TEST("an operation in another stream than its kind's is refused") {
  expectFault("(copy-h2d) is in the stream compute", [](auto& p) { p.columns.stream[1] = kCompute; });
}

TEST("an operand outside its buffer is refused with the bytes that it names") {
  expectFault("which has 32", [](auto& p) { p.columns.offsetBytes[operandOf(p, Kind::norm, 3)] = 4; });
  expectFault("which has 288", [](auto& p) { p.columns.strideBytes[operandOf(p, Kind::copyH2d, 0)] = 300; });
}

TEST("sizes that are no whole numbers of bytes are refused, however odd") {
  const double nan = std::numeric_limits<double>::quiet_NaN(), infinity = std::numeric_limits<double>::infinity();
  for (double odd : {nan, infinity, -infinity, -4.0, 0.5, 1e300}) {
    expectFault("expected a whole number", [&](auto& p) { p.columns.offsetBytes[0] = odd; });
    expectFault("expected a whole number", [&](auto& p) { p.columns.rowBytes[1] = odd; });
    expectFault("expected a whole number", [&](auto& p) { p.columns.strideBytes[2] = odd; });
    expectFault("work whose m is", [&](auto& p) { extentOf(p, &Columns::m, Kind::gemm) = odd; });
    expectFault("work whose k", [&](auto& p) { extentOf(p, &Columns::k, Kind::rope) = odd; });
  }
  expectFault("", [](auto& p) { p.columns.offsetBytes[0] = 9007199254740992.0; });
  expectFault("", [](auto& p) { p.columns.rows[0] = UINT32_MAX, p.columns.strideBytes[0] = 9007199254740992.0; });
}

TEST("an operand that is empty or whose rows overlap is refused") {
  expectFault("is empty", [](auto& p) { p.columns.rowBytes[3] = 0; });
  expectFault("is empty", [](auto& p) { p.columns.rows[3] = 0; });
  expectFault("so overlap", [](auto& p) { p.columns.strideBytes[operandOf(p, Kind::copyH2d, 0)] = 60; });
}

TEST("memory of the wrong side is refused") {
  expectFault("of the pool gpu, expected pinned or host", [](auto& p) { p.buffers[5].pool = Pool::gpu; });
  expectFault("of the pool host, expected gpu", [](auto& p) { p.buffers[4].pool = Pool::host; });
}

TEST("operands that a kind does not take, or lacks, are refused") {
  expectFault("where it takes one as weight", [](auto& p) { p.columns.role[operandOf(p, Kind::norm, 0)] = 0; });
  expectFault("has no operand where", [](auto& p) {
    p.add(kCompute, Kind::activation, 1, 2, 1);
    p.reads(2, 0, 8);
  });
  expectFault("too many", [](auto& p) { p.writes(2, 0, 8); });  // of the step's end
  expectFault("writes its input", [](auto& p) { p.columns.write[operandOf(p, Kind::gemm, 0)] = 1; });
  expectFault("only reads its update", [](auto& p) { p.columns.write[operandOf(p, Kind::rope, 0)] = 0; });
}

TEST("sizes that do not fit each other are refused for every kind") {
  auto shrink = [](Kind kind, uint32_t index, int nth = 0) {
    return [=](HandBuiltPlan& p) { p.columns.rowBytes[operandOf(p, kind, index, nth)] -= 4; };
  };
  expectFault("(copy-h2d)", shrink(Kind::copyH2d, 0));
  expectFault("(copy-d2h)", shrink(Kind::copyD2h, 1));
  expectFault("(gemm) has 28 bytes as input, expected 32", shrink(Kind::gemm, 0));
  expectFault("not columns of 32 bytes", shrink(Kind::gemm, 1));
  expectFault("(gemm) has 28 bytes as output, expected 32", shrink(Kind::gemm, 2));
  expectFault("(gemm) has 12 bytes as bias, expected 16", shrink(Kind::gemm, 4));
  expectFault("(gemm) has 28 bytes as update, expected 32", shrink(Kind::gemm, 2, 2));
  expectFault("(norm)", shrink(Kind::norm, 0));
  expectFault("(norm) has 28 bytes as bias", shrink(Kind::norm, 1));
  expectFault("(norm)", shrink(Kind::norm, 2));
  expectFault("(rope)", shrink(Kind::rope, 1));
  expectFault("(activation)", shrink(Kind::activation, 1));
  expectFault("(activation)", shrink(Kind::activation, 2));
  for (uint32_t index : {0, 1, 2, 3, 4}) expectFault("(attend)", shrink(Kind::attend, index));
  for (uint32_t index : {0, 1, 2, 3}) expectFault("(host-attend)", shrink(Kind::hostAttend, index));
  for (uint32_t index : {0, 1, 2, 3}) expectFault("(merge)", shrink(Kind::merge, index));
  for (uint32_t index : {0, 1, 2, 3}) expectFault("(append)", shrink(Kind::append, index));
  for (uint32_t index : {0, 1}) expectFault("(embed)", shrink(Kind::embed, index));
}

TEST("work that says another size than the operands is refused") {
  auto grow = [](std::vector<double> Columns::*extent, Kind kind) {
    return [=](HandBuiltPlan& p) { extentOf(p, extent, kind) += 1; };
  };
  expectFault("but its operands say", grow(&Columns::n, Kind::copyH2d));
  expectFault("number of columns is 17", grow(&Columns::n, Kind::gemm));
  expectFault("(gemm) has 32 bytes as input", grow(&Columns::k, Kind::gemm));
  expectFault("k (tokens) is 6", grow(&Columns::k, Kind::attend));
  expectFault("m (sequences · query heads) is 3", grow(&Columns::m, Kind::hostAttend));
  expectFault("n (head width) is 5", grow(&Columns::n, Kind::attend));
}

TEST("an element that begins where its type cannot lie is refused") {
  expectFault("not in elements of 4 bytes", [](auto& p) { p.columns.offsetBytes[operandOf(p, Kind::gemm, 1)] += 2; });
  expectFault("not in elements of 4 bytes", [](auto& p) { p.columns.offsetBytes[operandOf(p, Kind::attend, 1)] += 1; });
}

TEST("a cache without two planes is refused") {
  expectFault("expected 2: keys and values", [](auto& p) {
    const uint32_t row = operandOf(p, Kind::hostAttend, 1);
    p.columns.rows[row] = 1, p.columns.rowBytes[row] = 96;
  });
}

TEST("numbers of a model that mean nothing are refused") {
  expectFault("model.batch is 0", [](auto& p) { p.model.batch = 0; });
  expectFault("not a multiple of the 3 kvHeads", [](auto& p) { p.model.kvHeads = 3; });
  expectFault("model.ropeTheta", [](auto& p) { p.model.ropeTheta = std::numeric_limits<float>::quiet_NaN(); });
  expectFault("model.normEpsilon", [](auto& p) { p.model.normEpsilon = -1; });
  expectFault("", [](auto& p) { p.model.heads = p.model.kvHeads = p.model.headDim = p.model.batch = INT32_MAX; });
}

TEST("each dependency of the plan is needed: without it there is a race") {
  const size_t count = planOfEveryKind().columns.dependency.size();
  for (size_t dropped = 0; dropped < count; ++dropped) {
    expectFault("in no order", [&](HandBuiltPlan& p) {
      p.columns.dependency.erase(p.columns.dependency.begin() + long(dropped));
      for (uint32_t& start : p.columns.dependencyStart) start -= start > dropped;
    });
  }
}

TEST("a race is named by both operations and the buffer") {
  expectFault("operations 1 and 9 use the same bytes of buffer 4 in no order, and 1 writes", [](HandBuiltPlan& p) {
    const uint32_t attend = operationOf(p, Kind::attend);
    const uint32_t edge = p.columns.dependencyStart[attend];
    p.columns.dependency.erase(p.columns.dependency.begin() + edge);
    for (uint32_t i = attend + 1; i < p.columns.dependencyStart.size(); ++i) --p.columns.dependencyStart[i];
  });
}

TEST("rows of two pitched ranges conflict only where they share a byte") {
  auto faultOfStore = [](uint64_t offset, uint32_t rows, uint64_t stride) {
    HandBuiltPlan p;
    const uint32_t gpu = p.addBuffer(Pool::gpu, 100), host = p.addBuffer(Pool::pinned, 100);
    p.add(kH2d, Kind::copyH2d, 3, 8, 0);  // host bytes 0–1, 10–11 and 20–21, in elements
    p.operand(Role::input, false, host, 0, 2, 3, 10).writes(gpu, 0, 6);
    p.columns.rows.back() = 3, p.columns.rowBytes.back() = p.columns.strideBytes.back() = 8;
    p.add(kD2h, Kind::copyD2h, rows, 4, 0);
    p.operand(Role::input, false, gpu, 50, 1, rows, 1).operand(Role::output, true, host, offset, 1, rows, stride);
    return faultOf(p.plan(), p.buffers);
  };
  CHECK(!faultOfStore(2, 8, 10));
  CHECK(!faultOfStore(9, 8, 10));
  CHECK(faultOfStore(1, 8, 10));
  CHECK(!faultOfStore(30, 2, 10));
  CHECK(!faultOfStore(2, 4, 7));   // 2, 9, 16, 23
  CHECK(faultOfStore(3, 4, 7));    // 3, 10
  CHECK(faultOfStore(6, 3, 15));   // 6, 21
  CHECK(!faultOfStore(7, 3, 15));  // 7, 22, 37
}

TEST("what an operation writes may not be what it reads, but for norms and activations in place") {
  expectFault("uses the same bytes", [](HandBuiltPlan& p) {
    p.columns.buffer[operandOf(p, Kind::gemm, 2, 2)] = p.columns.buffer[operandOf(p, Kind::gemm, 0, 2)];
  });
  HandBuiltPlan p = planOfEveryKind();
  const uint32_t norm = operandOf(p, Kind::norm, 2);
  p.columns.buffer[norm + 1] = p.columns.buffer[norm];
  CHECK(faultOf(p.plan(), p.buffers).value_or("none") == "none");
}

TEST("orders that only other streams make are seen, over a long plan too") {
  HandBuiltPlan p;
  const uint32_t host = p.addBuffer(Pool::pinned, 4), gpu = p.addBuffer(Pool::gpu, 4), out = p.addBuffer(Pool::host, 4);
  std::vector<uint32_t> after;
  for (int i = 0; i < 20'000; ++i) {
    after = {p.copyIn(host, gpu, 4, after)};
    after = {p.copyOut(gpu, out, 4, after)};
  }
  CHECK(faultOf(p.plan(), p.buffers).value_or("none") == "none");
  p.columns.dependency[30'000] = 0;  // waits for something, but not for the copy before
  CHECK(faultOf(p.plan(), p.buffers).value_or("none").find("in no order") != std::string::npos);
}
