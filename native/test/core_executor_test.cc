#include "core/executor.h"

#include <algorithm>
#include <chrono>
#include <numeric>
#include <thread>

#include "core/check.h"
#include "cpu/cpu_device.h"
#include "test/check.h"
#include "test/executor_checks.h"
#include "test/fake_device.h"
#include "test/hand_built_plan.h"

using namespace splitpoint;
using namespace splitpoint::test;

namespace {

std::unique_ptr<Device> cpu(double linkBytesPerSecond = 0) {
  return std::make_unique<CpuDevice>(CpuOptions{linkBytesPerSecond, 1});
}

std::vector<float> asFloats(const std::vector<uint8_t>& bytes) {
  std::vector<float> values(bytes.size() / 4);
  std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

bool contains(const std::vector<std::string>& calls, const std::string& call) {
  return std::find(calls.begin(), calls.end(), call) != calls.end();
}

}  // namespace

TEST("data goes over the link, through kernels and back") {
  Accumulation a(5, 3);
  Executor executor(cpu(), a.p.buffers);
  a.prepare(executor);
  const Execution execution = executor.execute(a.p.plan(), {});
  CHECK((readFloats(executor, a.target) == std::vector<float>{3, 6, 9, 12, 15}));
  expectOrder(a.p.plan(), execution);
  CHECK(execution.gates == 1);
  CHECK(execution.enqueueSeconds > 0);
  CHECK(!execution.cancelled);
}

TEST("every kind of operation runs, and its times respect streams and dependencies") {
  HandBuiltPlan p = planOfEveryKind();
  Executor executor(cpu(), p.buffers);
  for (uint32_t b = 0; b < p.buffers.size(); ++b) executor.poison(b, 0, p.buffers[b].bytes);
  executor.fill(0, 0, 1000, Type::fp32, 1, 0, 0.1f, 0);
  executor.fill(5, 0, 72, Type::fp32, 2, 0, 1, 0);
  const Execution execution = executor.execute(p.plan(), {});
  expectOrder(p.plan(), execution);
  // The result depends on everything before it: none of it is the NaN that buffers were poisoned with.
  for (float value : readFloats(executor, 1)) CHECK(std::isfinite(value));
}

TEST("what is never written stays NaN") {
  Accumulation a(3, 1);
  Executor executor(cpu(), a.p.buffers);
  a.prepare(executor);
  for (float value : readFloats(executor, a.x)) CHECK(std::isnan(value));
  executor.poison(a.source, 4, 4);
  executor.execute(a.p.plan(), {});
  CHECK(std::isnan(readFloats(executor, a.target)[0]));  // NaN · 0 in the product
}

TEST("a plan longer than a gate runs gate by gate, and its clock goes on") {
  Accumulation a(4, 1500, 10);
  auto device = cpu();
  const uint32_t limit = device->gateLimit();
  Executor executor(std::move(device), a.p.buffers);
  a.prepare(executor);
  const Execution execution = executor.execute(a.p.plan(), {});
  CHECK((readFloats(executor, a.target) == std::vector<float>{1500, 3000, 4500, 6000}));
  CHECK(execution.gates >= 1650 / limit);
  expectOrder(a.p.plan(), execution);
}

TEST("operands are kept as their operation left them, though they change later") {
  Accumulation a(3, 4);
  Executor executor(cpu(), a.p.buffers);
  a.prepare(executor);
  ExecuteOptions options;
  options.captures = {{3, 2}, {1, 2}, {0, 1}, {1, 2}, {5, 1}};
  const Execution execution = executor.execute(a.p.plan(), options);
  CHECK(execution.captures.size() == 5);
  CHECK((asFloats(execution.captures[0]) == std::vector<float>{3, 6, 9}));
  CHECK((asFloats(execution.captures[1]) == std::vector<float>{1, 2, 3}));
  CHECK((asFloats(execution.captures[2]) == std::vector<float>{1, 2, 3}));
  CHECK(execution.captures[3] == execution.captures[1]);
  CHECK((asFloats(execution.captures[4]) == std::vector<float>{4, 8, 12}));
  expectOrder(a.p.plan(), execution);
}

TEST("the rows of a pitched operand are kept without the gaps") {
  HandBuiltPlan p;
  const uint32_t host = p.addBuffer(Pool::pinned, 6), gpu = p.addBuffer(Pool::gpu, 6);
  p.add(kH2d, Kind::copyH2d, 2, 8, 0);
  p.operand(Role::input, false, host, 0, 2, 2, 3).operand(Role::output, true, gpu, 1, 2, 2, 3);
  Executor executor(cpu(), p.buffers);
  writeFloats(executor, host, {1, 2, 3, 4, 5, 6});
  ExecuteOptions options;
  options.captures = {{0, 1}};
  const Execution execution = executor.execute(p.plan(), options);
  CHECK((asFloats(execution.captures[0]) == std::vector<float>{1, 2, 4, 5}));
}

TEST("what cannot be kept is refused") {
  Accumulation a(3, 1);
  Executor executor(cpu(), a.p.buffers);
  ExecuteOptions options;
  options.captures = {{0, 0}, {99, 0}};
  CHECK_THROWS(PlanError, executor.execute(a.p.plan(), options));
  options.captures = {{0, 2}};
  CHECK_THROWS(PlanError, executor.execute(a.p.plan(), options));
}

TEST("a run that is cancelled ends early, and the next one is whole") {
  Accumulation a(1000, 2);
  Executor executor(cpu(100), a.p.buffers);  // 4000 bytes at 100 bytes per second
  a.prepare(executor);
  std::atomic<bool> cancel{false};
  ExecuteOptions options;
  options.cancel = &cancel;
  options.progress = [&](uint32_t, uint32_t) { cancel = true; };
  const auto before = std::chrono::steady_clock::now();
  const Execution execution = executor.execute(a.p.plan(), options);
  CHECK(execution.cancelled);
  CHECK(std::chrono::steady_clock::now() - before < std::chrono::seconds(30));
  CHECK(std::isnan(readFloats(executor, a.target)[0]));

  Accumulation small(3, 2);
  Executor other(cpu(), small.p.buffers);
  small.prepare(other);
  CHECK(other.execute(small.p.plan(), options).cancelled);
  cancel = false;
  options.progress = nullptr;
  CHECK(!other.execute(small.p.plan(), options).cancelled);
  CHECK((readFloats(other, small.target) == std::vector<float>{2, 4, 6}));
}

TEST("progress counts up to all operations") {
  Accumulation a(4, 300);
  Executor executor(cpu(), a.p.buffers);
  a.prepare(executor);
  std::vector<uint32_t> seen;
  ExecuteOptions options;
  options.progress = [&](uint32_t done, uint32_t of) {
    CHECK(of == 302);
    seen.push_back(done);
  };
  executor.execute(a.p.plan(), options);
  CHECK(std::is_sorted(seen.begin(), seen.end()));
  CHECK(!seen.empty() && seen.back() == 302);
}

TEST("a malformed plan is refused before anything runs") {
  Accumulation a(3, 1);
  Executor executor(cpu(), a.p.buffers);
  a.prepare(executor);
  a.p.columns.buffer[0] = 77;
  CHECK_THROWS(PlanError, executor.execute(a.p.plan(), {}));
  CHECK(std::isnan(readFloats(executor, a.x)[0]));
}

TEST("buffers beyond memory are refused, naming pool, what is asked and what there is") {
  for (auto [pool, named] : {std::pair{Pool::gpu, Pool::gpu}, {Pool::host, Pool::pinned}}) {
    HandBuiltPlan p;
    p.addBuffer(pool, uint64_t(1) << 48);
    p.addBuffer(pool, uint64_t(1) << 48);
    try {
      Executor executor(cpu(), p.buffers);
      CHECK(!"it was opened");
    } catch (const OutOfMemory& error) {
      CHECK(error.pool == named);
      CHECK(error.asked == uint64_t(1) << 51);
      CHECK(error.available > 0 && error.available < error.asked);
      CHECK(std::string(error.what()).find("short") != std::string::npos);
    }
  }
}

TEST("nothing stays allocated after a failure, nor after an executor") {
  FakeDevice::Log log;
  HandBuiltPlan p = planOfEveryKind();
  {
    auto device = std::make_unique<FakeDevice>(log);
    device->failAt = "allocate";
    CHECK_THROWS(OutOfMemory, Executor(std::move(device), p.buffers));
    CHECK(log.allocated.empty());
  }
  {
    auto device = std::make_unique<FakeDevice>(log);
    device->failAt = "merge";
    Executor executor(std::move(device), p.buffers);
    ExecuteOptions options;
    options.captures = {{0, 0}};
    CHECK(log.allocated.size() == p.buffers.size());
    CHECK_THROWS(DeviceError, executor.execute(p.plan(), options));
    CHECK(log.cancels == 1);
    CHECK(log.allocated.size() == p.buffers.size());
  }
  CHECK(log.allocated.empty());
}

TEST("two executors at once do not disturb each other") {
  auto run = [](uint32_t elements, int times, bool& right) {
    Accumulation a(elements, times, 7);
    Executor executor(cpu(), a.p.buffers);
    right = true;
    for (int round = 0; round < 5; ++round) {
      a.prepare(executor);
      executor.execute(a.p.plan(), {});
      const std::vector<float> found = readFloats(executor, a.target);
      for (uint32_t i = 0; i < elements; ++i) right = right && found[i] == float(times) * float(i + 1);
    }
  };
  bool first = false, second = false;
  std::thread other([&] { run(6, 120, first); });
  run(9, 80, second);
  other.join();
  CHECK(first && second);
}

TEST("ranges outside of a buffer are refused") {
  HandBuiltPlan p;
  p.addBuffer(Pool::gpu, 4);
  Executor executor(cpu(), p.buffers);
  char bytes[32] = {};
  executor.write(0, 0, 16, bytes);
  executor.read(0, 16, 0, bytes);
  CHECK_THROWS(PlanError, executor.write(0, 1, 16, bytes));
  CHECK_THROWS(PlanError, executor.read(0, 17, 0, bytes));
  CHECK_THROWS(PlanError, executor.read(1, 0, 1, bytes));
  CHECK_THROWS(PlanError, executor.poison(0, UINT64_MAX, 2));
  CHECK_THROWS(PlanError, executor.fill(0, 0, UINT64_MAX / 2, Type::fp32, 1, 0, 1, 0));
  CHECK_THROWS(PlanError, executor.fill(0, 2, 1, Type::fp32, 1, 0, 1, 0));
}

TEST("only waits that nothing else implies are enqueued, each before the event of its start") {
  HandBuiltPlan p;
  const uint32_t host = p.addBuffer(Pool::pinned, 4), gpu = p.addBuffer(Pool::gpu, 8);
  const uint32_t first = p.copyIn(host, gpu, 4);
  const uint32_t second = p.copyIn(host, gpu, 4);
  p.copyOut(gpu, host, 4, {second, first});  // the second comes after the first
  p.add(kCompute, Kind::activation, 1, 2, 1, {second, 2});
  p.reads(gpu, 0, 4).writes(gpu, 0, 4);
  p.add(kCompute, Kind::activation, 1, 2, 1, {first});
  p.reads(gpu, 0, 4).writes(gpu, 0, 4);
  FakeDevice::Log log;
  Executor executor(std::make_unique<FakeDevice>(log), p.buffers);
  const Execution execution = executor.execute(p.plan(), {});
  const std::vector<std::string> expected = {
      "close",
      "compute record 0",
      "h2d record 1",
      "h2d copy",
      "h2d record 2",
      "h2d copy",
      "h2d record 3",
      "d2h wait 3",
      "d2h record 4",
      "d2h copy",
      "d2h record 5",
      "compute wait 5",
      "compute record 6",
      "compute activate",
      "compute record 7",
      "compute activate",
      "compute record 8",
      "open",
  };
  CHECK(log.calls == expected);
  CHECK((execution.startSeconds == std::vector<double>{0, 1, 2, 3, 4}));
  CHECK((execution.endSeconds == std::vector<double>{1, 2, 3, 4, 5}));
}

TEST("events that the other side waits for are recorded as such") {
  HandBuiltPlan p = planOfEveryKind();
  FakeDevice::Log log;
  Executor executor(std::make_unique<FakeDevice>(log), p.buffers);
  executor.execute(p.plan(), {});
  const auto crossing = [&](const std::string& stream) {
    return std::count_if(log.calls.begin(), log.calls.end(),
                         [&](const std::string& call) { return call.starts_with(stream + " record crossing"); });
  };
  CHECK(crossing("d2h") == 1);   // the query
  CHECK(crossing("host") == 1);  // the partial result
  CHECK(crossing("compute") == 0 && crossing("h2d") == 0);
}

TEST("gates end behind whole steps, and within a step only where it is longer than a gate") {
  auto gatesOf = [](std::vector<int> steps, uint32_t limit) {
    HandBuiltPlan p;
    const uint32_t gpu = p.addBuffer(Pool::gpu, 4);
    for (int operations : steps) {
      for (int i = 0; i + 1 < operations; ++i) {
        p.add(kCompute, Kind::activation, 1, 2, 1);
        p.reads(gpu, 0, 4).writes(gpu, 0, 4);
      }
      p.stepEnd();
    }
    FakeDevice::Log log;
    Executor executor(std::make_unique<FakeDevice>(log, limit), p.buffers);
    const Execution execution = executor.execute(p.plan(), {});
    CHECK(execution.endSeconds.back() == std::accumulate(steps.begin(), steps.end(), -double(steps.size())));
    std::vector<int> sizes;
    for (const std::string& call : log.calls) {
      if (call == "close") sizes.push_back(-2);  // the gate's own event and the first operation's start
      if (call.find("record") != std::string::npos) ++sizes.back();
    }
    CHECK(execution.gates == sizes.size());
    // What opening a gate enqueues counts.
    CHECK(execution.enqueueSeconds >= 0.25 * execution.gates);
    return sizes;
  };
  CHECK((gatesOf({3, 3, 3}, 9) == std::vector<int>{9}));
  CHECK((gatesOf({3, 3, 3}, 8) == std::vector<int>{6, 3}));
  CHECK((gatesOf({3, 3, 3}, 5) == std::vector<int>{3, 3, 3}));
  CHECK((gatesOf({2, 7, 3}, 3) == std::vector<int>{2, 3, 3, 1, 3}));
  CHECK((gatesOf({4}, 1) == std::vector<int>{1, 1, 1, 1}));
}

TEST("segments of a cache that lie one behind the other are attended as one") {
  HandBuiltPlan p = planOfEveryKind();
  FakeDevice::Log log;
  auto device = std::make_unique<FakeDevice>(log);
  FakeDevice& fake = *device;
  Executor executor(std::move(device), p.buffers);
  executor.execute(p.plan(), {});
  CHECK(contains(log.calls, "compute attend"));
  CHECK(fake.lastAttend.segments == 1);
  CHECK(fake.lastAttend.segment[0].tokens == 5);
}
