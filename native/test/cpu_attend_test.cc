#include "cpu/attend.h"

#include "cpu/cpu_device.h"
#include "test/attend_checks.h"
#include "test/check.h"

namespace splitpoint {
namespace {

using test::Random;

TEST("attention is the softmax's mean of the values, for all types, groups, head sizes and segments") {
  Random random(5);
  for (uint32_t threads : {1u, 3u}) {
    CpuDevice device({.hostThreads = threads});
    for (Type type : test::kAllTypes) {
      for (int i = 0; i < 25; ++i) {
        constexpr uint32_t headDims[] = {1, 7, 32, 64, 80, 128};
        test::checkAttention(device, kHost, random,
                             {type, uint32_t(test::anyOf(random, 1, 3)), uint32_t(test::anyOf(random, 1, 4)),
                              uint32_t(test::anyOf(random, 1, 4)), headDims[i % 6],
                              test::randomSegments(random, size_t(i % kMaxSegments) + 1, 150)},
                             i % 2 == 0);
      }
      // More sums than a block holds.
      test::checkAttention(device, kHost, random, {type, 3, 4, 8, 128, {70, 5}});
      test::checkAttention(device, kCompute, random, {type, 2, 2, 2, 64, {40}});
    }
  }
}

TEST("attention bears scores whose exponentials overflow") {
  CpuDevice device({.hostThreads = 2});
  Random random(6);
  test::checkAttention(device, kHost, random, {Type::fp32, 1, 2, 2, 64, {100, 30}, 300});
}

TEST("attention with more threads than tokens uses those it can") {
  CpuDevice device({.hostThreads = 8});
  Random random(7);
  test::checkAttention(device, kHost, random, {Type::fp32, 2, 2, 1, 16, {3}});
}

TEST("a single key, value or query that was never written shows in the attention that reads it, and only there") {
  CpuDevice device({.hostThreads = 2});
  Random random(8);
  test::checkPoisonedAttention(device, kHost, random, 16);
}

TEST("attention over no tokens is refused") {
  ThreadPool pool(1);
  CHECK_THROWS(DeviceError, attendOnHost({.type = Type::fp32,
                                          .batch = 1,
                                          .heads = 1,
                                          .kvHeads = 1,
                                          .headDim = 1,
                                          .query = nullptr,
                                          .segment = {},
                                          .segments = 1,
                                          .output = nullptr,
                                          .logSumExp = nullptr},
                                         pool));
}

}  // namespace
}  // namespace splitpoint
