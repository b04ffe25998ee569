// Changes a sound plan at random, again and again: whatever the checker lets pass must run without touching memory that
// is not its own. Meant to be built with a sanitizer. Arguments: iterations, seed.

#include <cstdio>
#include <cstdlib>
#include <limits>
#include <random>

#include "core/check.h"
#include "core/executor.h"
#include "cpu/cpu_device.h"
#include "test/hand_built_plan.h"

using namespace splitpoint;
using namespace splitpoint::test;

namespace {

constexpr uint64_t kLargestBuffer = 1 << 16;

// Buffers end where they end, so that a sanitizer sees what goes beyond.
class ExactDevice : public CpuDevice {
 public:
  ExactDevice() : CpuDevice(CpuOptions{0, 1}) {}
  void* allocate(Pool, uint64_t bytes) override {
    void* memory = nullptr;
    if (posix_memalign(&memory, 256, bytes)) throw std::bad_alloc();
    return memory;
  }
  void free(Pool, void* memory) override { std::free(memory); }
};

class Mutator {
 public:
  explicit Mutator(uint64_t seed) : random_(seed) {}

  void change(HandBuiltPlan& p) {
    Columns& c = p.columns;
    switch (below(27)) {
      case 0:
        return column(c.stream);
      case 1:
        return column(c.group);
      case 2:
        return column(c.layer);
      case 3:
        return column(c.microBatch);
      case 4:
        return column(c.step);
      case 5:
        return column(c.token);
      case 6:
        return column(c.work);
      case 7:
        return column(c.dependencyStart);
      case 8:
        return column(c.dependency);
      case 9:
        return column(c.kind);
      case 10:
        return column(c.dtype);
      case 11:
        return column(c.m);
      case 12:
        return column(c.n);
      case 13:
        return column(c.k);
      case 14:
        return column(c.batch);
      case 15:
        return column(c.operandStart);
      case 16:
        return column(c.buffer);
      case 17:
        return column(c.rows);
      case 18:
        return column(c.role);
      case 19:
        return column(c.write);
      case 20:
        return column(c.offsetBytes);
      case 21:
        return column(c.rowBytes);
      case 22:
        return column(c.strideBytes);
      case 23:
        return buffer(p.buffers[below(p.buffers.size())]);
      case 24:
        return model(p.model);
      // Changes that keep more of a plan sound.
      case 25:
        return halfPrecision(c);
      case 26:
        return shift(c);
    }
  }

  uint64_t below(uint64_t bound) { return bound ? random_() % bound : 0; }

 private:
  template <class T>
  void column(std::vector<T>& values) {
    const uint64_t choice = below(20);
    if (choice == 0) values.push_back(T(below(4)));
    if (values.empty()) return;
    if (choice == 1) values.pop_back();
    if (choice > 1) values[below(values.size())] = other(values);
    values.shrink_to_fit();
  }

  template <class T>
  T other(const std::vector<T>& values) {
    const T value = values[below(values.size())];
    switch (below(8)) {
      case 0:
        return T(0);
      case 1:
        return T(value + 1);
      case 2:
        return T(value - 1);
      case 3:
        return T(value + T(4));
      case 4:
        return std::numeric_limits<T>::max();
      case 5:
        return T(below(300));
      case 6:
        return odd(value);
      default:
        return value;
    }
  }

  template <class T>
  T odd(T value) {
    return T(value * 2);
  }
  double odd(double value) {
    const double choices[] = {std::numeric_limits<double>::quiet_NaN(),
                              std::numeric_limits<double>::infinity(),
                              -value,
                              value + 0.5,
                              9007199254740992.0,
                              18446744073709551616.0,
                              value * 2};
    return choices[below(std::size(choices))];
  }

  void buffer(BufferSpec& buffer) {
    if (below(2))
      buffer.pool = Pool(below(kPools + 1));
    else
      buffer.bytes = below(4) ? buffer.bytes + below(40) - 20 : random_();
  }

  void model(ModelNumbers& model) {
    uint32_t* whole[] = {&model.batch, &model.heads, &model.kvHeads, &model.headDim};
    float* real[] = {&model.ropeTheta, &model.normEpsilon};
    const float reals[] = {0, -1, 1e38f, 1e-38f, std::numeric_limits<float>::quiet_NaN()};
    if (below(3))
      *whole[below(4)] = below(4) ? uint32_t(below(9)) : uint32_t(random_());
    else
      *real[below(2)] = reals[below(5)];
    model.silu = below(2);
  }

  // All of it in 16 bits: half as many bytes where they were fp32, log-sum-exps aside.
  void halfPrecision(Columns& c) {
    for (uint8_t& type : c.dtype) type = uint8_t(Type::bf16);
    for (size_t o = 0; o < c.role.size() && o < c.rowBytes.size(); ++o) {
      if (Role(c.role[o]) != Role::logSumExp) c.rowBytes[o] /= 2;
    }
    for (size_t w = 0; w < c.kind.size() && w < c.n.size(); ++w) {
      if (Kind(c.kind[w]) <= Kind::copyD2h) c.n[w] /= 2;
    }
  }

  void shift(Columns& c) {
    if (c.offsetBytes.empty()) return;
    c.offsetBytes[below(c.offsetBytes.size())] += 4 * (double(below(9)) - 4);
  }

  std::mt19937_64 random_;
};

bool isSmall(const std::vector<BufferSpec>& buffers) {
  for (const BufferSpec& buffer : buffers) {
    if (buffer.bytes == 0 || buffer.bytes > kLargestBuffer) return false;
  }
  return true;
}

}  // namespace

int main(int count, char** arguments) {
  const long iterations = count > 1 ? std::atol(arguments[1]) : 10'000;
  Mutator mutator(count > 2 ? std::strtoull(arguments[2], nullptr, 10) : 1);
  const HandBuiltPlan sound = planOfEveryKind();
  long executed = 0;
  for (long i = 0; i < iterations; ++i) {
    HandBuiltPlan p = sound;
    for (uint64_t changes = 1 + mutator.below(3); changes > 0; --changes) mutator.change(p);
    const Plan plan = p.plan();
    if (faultOf(plan, p.buffers) || !isSmall(p.buffers)) continue;
    Executor executor(std::make_unique<ExactDevice>(), p.buffers);
    for (uint32_t b = 0; b < p.buffers.size(); ++b) executor.poison(b, 0, p.buffers[b].bytes);
    executor.execute(plan, {});
    ++executed;
  }
  std::printf("%ld changed plans, %ld of them sound and executed\n", iterations, executed);
  // Where nothing passes or everything does, nothing was tried.
  return executed * 50 > iterations && executed < iterations ? 0 : 1;
}
