#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "core/executor.h"
#include "test/check.h"
#include "test/hand_built_plan.h"

// What tests of executions on any device need.

namespace splitpoint::test {

inline void writeFloats(Executor& executor, uint32_t buffer, const std::vector<float>& values) {
  executor.write(buffer, 0, values.size() * 4, values.data());
}

inline std::vector<float> readFloats(Executor& executor, uint32_t buffer) {
  std::vector<float> values(executor.buffers()[buffer].bytes / 4);
  executor.read(buffer, 0, values.size() * 4, values.data());
  return values;
}

// x comes over the link, sum += x · (n × n identity) so many times, and goes back.
struct Accumulation {
  HandBuiltPlan p;
  uint32_t source, x, sum, identity, target;

  Accumulation(uint32_t elements, int times, int perStep = 1 << 30, Pool targetPool = Pool::host) {
    source = p.addBuffer(Pool::pinned, elements);
    x = p.addBuffer(Pool::gpu, elements);
    sum = p.addBuffer(Pool::gpu, elements);
    identity = p.addBuffer(Pool::gpu, uint64_t(elements) * elements);
    target = p.addBuffer(targetPool, elements);
    uint32_t last = p.copyIn(source, x, elements);
    for (int i = 0; i < times; ++i) {
      last = p.add(kCompute, Kind::gemm, 1, elements, elements, {last});
      p.reads(x, 0, elements).operand(Role::weight, false, identity, 0, uint64_t(elements) * elements);
      p.operand(Role::update, true, sum, 0, elements);
      if ((i + 1) % perStep == 0) p.stepEnd();
    }
    p.copyOut(sum, target, elements, {last});
  }

  void prepare(Executor& executor) const {
    const uint32_t elements = uint32_t(p.buffers[x].bytes / 4);
    std::vector<float> ones(uint64_t(elements) * elements, 0), values(elements);
    for (uint32_t i = 0; i < elements; ++i) ones[uint64_t(i) * elements + i] = 1, values[i] = float(i + 1);
    writeFloats(executor, identity, ones);
    writeFloats(executor, source, values);
    writeFloats(executor, sum, std::vector<float>(elements, 0));
    executor.poison(x, 0, p.buffers[x].bytes);
    executor.poison(target, 0, p.buffers[target].bytes);
  }
};

// Operations start after what they wait for, and after the one before in their stream. Clocks of the host and of a
// device may differ by `skew` seconds.
inline void expectOrder(const Plan& plan, const Execution& execution, double skew = 0) {
  std::vector<double> last(kStreams, 0);
  for (uint32_t i = 0; i < plan.count; ++i) {
    const double start = execution.startSeconds[i], end = execution.endSeconds[i];
    CHECK(std::isfinite(start) && std::isfinite(end));
    CHECK(start >= last[plan.stream[i]] && end >= start);
    for (uint32_t e = plan.dependencyStart[i]; e < plan.dependencyStart[i + 1]; ++e) {
      const uint32_t on = plan.dependency[e];
      const bool crosses = (plan.stream[i] == kHost) != (plan.stream[on] == kHost);
      CHECK(start >= execution.endSeconds[on] - (crosses ? skew : 0));
    }
    last[plan.stream[i]] = end;
  }
}

}  // namespace splitpoint::test
