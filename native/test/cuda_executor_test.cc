#include <atomic>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <memory>
#include <thread>
#include <vector>

#include "core/executor.h"
#include "cpu/cpu_device.h"
#include "cuda/cuda_device.h"
#include "test/check.h"
#include "test/executor_checks.h"

namespace splitpoint::test {
namespace {

// The host sees that a gate is open a little late, and clocks drift apart.
constexpr double kSkewSeconds = 50e-6;

std::unique_ptr<Device> opened(bool graph) { return openCudaDevice({.hostThreads = 2, .graph = graph}); }

// A plan with every kind of operation, with heads as wide as kernels take them and its host buffers in `pool`.
HandBuiltPlan everyKind(Pool pool) {
  HandBuiltPlan p = planOfEveryKind(8);
  for (BufferSpec& buffer : p.buffers)
    if (buffer.pool == Pool::host) buffer.pool = pool;
  return p;
}

struct Outcome {
  Execution execution;
  std::vector<float> hidden;
};

Outcome runEveryKind(std::unique_ptr<Device> device, const HandBuiltPlan& p) {
  constexpr uint32_t weights = 0, hidden = 1, hostKv = 5;
  Executor executor(std::move(device), p.buffers);
  for (uint32_t b = 0; b < p.buffers.size(); ++b) executor.poison(b, 0, p.buffers[b].bytes);
  executor.fill(weights, 0, p.buffers[weights].bytes / 4, Type::fp32, 1, 0, 0.1f, 0);
  executor.fill(hostKv, 0, p.buffers[hostKv].bytes / 4, Type::fp32, 2, 0, 1, 0);
  ExecuteOptions options;
  // What the projection has made, and what was attended.
  options.captures = {{3, 2}, {9, 3}};
  Execution execution = executor.execute(p.plan(), options);
  return {std::move(execution), readFloats(executor, hidden)};
}

TEST("every kind of operation gives what the CPU gives, and its times respect streams and dependencies") {
  for (Pool pool : {Pool::pinned, Pool::host}) {
    const HandBuiltPlan p = everyKind(pool);
    const Outcome cpu = runEveryKind(std::make_unique<CpuDevice>(CpuOptions{.hostThreads = 1}), p);
    const Outcome gpu = runEveryKind(opened(false), p);
    for (size_t i = 0; i < cpu.hidden.size(); ++i) CHECK_CLOSE(gpu.hidden[i], cpu.hidden[i], 1e-4);
    expectOrder(p.plan(), gpu.execution, kSkewSeconds);
    CHECK(gpu.execution.gates == 1);
    CHECK(gpu.execution.enqueueSeconds > 0);
  }
}

TEST("a graph gives the very numbers that separate launches give") {
  const HandBuiltPlan p = everyKind(Pool::pinned);
  const Outcome eager = runEveryKind(opened(false), p), graph = runEveryKind(opened(true), p);
  CHECK(graph.hidden == eager.hidden);
  CHECK(graph.execution.captures == eager.execution.captures);
  expectOrder(p.plan(), graph.execution, kSkewSeconds);
}

TEST("a plan longer than a gate runs gate by gate, and its clock goes on") {
  for (bool graph : {false, true}) {
    const Accumulation a(4, 600, 10, Pool::pinned);
    auto device = opened(graph);
    const uint32_t limit = device->gateLimit();
    Executor executor(std::move(device), a.p.buffers);
    for (int round = 0; round < 2; ++round) {
      a.prepare(executor);
      const Execution execution = executor.execute(a.p.plan(), {});
      CHECK((readFloats(executor, a.target) == std::vector<float>{600, 1200, 1800, 2400}));
      CHECK(execution.gates >= 660 / limit);
      CHECK(graph || execution.gates > 1);
      expectOrder(a.p.plan(), execution, kSkewSeconds);
    }
  }
}

TEST("operands are kept as their operation left them, though they change later, from a graph too") {
  for (bool graph : {false, true}) {
    const Accumulation a(4, 3, 1 << 30, Pool::pinned);
    Executor executor(opened(graph), a.p.buffers);
    a.prepare(executor);
    ExecuteOptions options;
    options.captures = {{2, 2}, {1, 2}};
    const Execution execution = executor.execute(a.p.plan(), options);
    const std::vector<float> twice{2, 4, 6, 8}, once{1, 2, 3, 4};
    CHECK(std::memcmp(execution.captures[0].data(), twice.data(), 16) == 0);
    CHECK(std::memcmp(execution.captures[1].data(), once.data(), 16) == 0);
  }
}

TEST("a run that is cancelled ends, and the next one is whole") {
  for (bool graph : {false, true}) {
    const Accumulation a(4, 2000, 10, Pool::pinned);
    Executor executor(opened(graph), a.p.buffers);
    a.prepare(executor);
    std::atomic<bool> cancel{true};
    ExecuteOptions options;
    options.cancel = &cancel;
    CHECK(executor.execute(a.p.plan(), options).cancelled);
    cancel = false;
    a.prepare(executor);
    CHECK(!executor.execute(a.p.plan(), options).cancelled);
    CHECK((readFloats(executor, a.target) == std::vector<float>{2000, 4000, 6000, 8000}));
  }
}

TEST("executors on two threads, of which neither opened its device there, do not disturb each other") {
  const auto run = [](Executor& executor, const Accumulation& a, bool& right) {
    right = true;
    for (int round = 0; round < 5; ++round) {
      a.prepare(executor);
      executor.execute(a.p.plan(), {});
      right = right && readFloats(executor, a.target) == std::vector<float>{150, 300, 450, 600};
    }
  };
  const Accumulation a(4, 150, 7, Pool::pinned);
  Executor eager(opened(false), a.p.buffers), graph(opened(true), a.p.buffers);
  bool first = false, second = false;
  std::thread one([&] { run(eager, a, first); }), two([&] { run(graph, a, second); });
  one.join();
  two.join();
  CHECK(first && second);
}

}  // namespace
}  // namespace splitpoint::test
