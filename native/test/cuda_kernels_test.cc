#include <cstring>

#include "cpu/kernels.h"
#include "test/attend_checks.h"
#include "test/check.h"
#include "test/cuda_open.h"
#include "test/gemm_checks.h"
#include "test/small_kernel_checks.h"

// Small enough to run under compute-sanitizer.

namespace splitpoint {
namespace {

using test::anyOf;
using test::cuda;
using test::Random;

TEST("kernels attend as the definition says, for all types, groups, head sizes and segments") {
  Random random(21);
  for (Type type : test::kAllTypes) {
    constexpr uint32_t headDims[] = {64, 80, 128, 256, 8}, groups[] = {1, 2, 4, 7, 8, 17};
    for (int i = 0; i < 18; ++i)
      test::checkAttention(cuda(), kCompute, random,
                           {type, uint32_t(anyOf(random, 1, 3)), uint32_t(anyOf(random, 1, 3)), groups[i % 6],
                            headDims[i % 5], test::randomSegments(random, size_t(i % kMaxSegments) + 1, 300)},
                           i % 2 == 0);
    for (uint32_t tokens = 1; tokens <= 3; ++tokens)
      test::checkAttention(cuda(), kCompute, random, {type, 1, 2, 1, 64, {tokens}});
  }
}

TEST("kernels attend long contexts in runs, and batches that fill the device in one") {
  Random random(22);
  for (Type type : test::kAllTypes) {
    test::checkAttention(cuda(), kCompute, random, {type, 1, 1, 2, 128, {1200, 1, 1799}});
    test::checkAttention(cuda(), kCompute, random, {type, 1, 2, 1, 80, {1537}});
    test::checkAttention(cuda(), kCompute, random, {type, 67, 4, 1, 64, {33, 5}});
  }
}

TEST("kernels attend scores whose exponentials overflow") {
  Random random(23);
  test::checkAttention(cuda(), kCompute, random, {Type::fp32, 1, 2, 2, 64, {100, 30}, 300});
}

TEST("kernels show a single key, value or query that was never written in what reads it, and only there") {
  Random random(24);
  test::checkPoisonedAttention(cuda(), kCompute, random, 16);
}

TEST("kernels multiply as the definition says, for all types, layouts, biases and accumulations") {
  Random random(25);
  test::checkManyGemms(cuda(), random, 16);
  for (Type type : test::kAllTypes) {
    // A head over an odd vocabulary: rows begin at odd elements.
    test::checkGemm(cuda(), random, type, {1, 50257, 16, true, false, false, true});
    test::checkGemm(cuda(), random, type, {3, 50257, 8, false, true, false, false}, 1);
    test::checkGemm(cuda(), random, type, {1000, 64, 64, false, true, false, false});
  }
}

TEST("kernels embed each sequence's token and add its learned position, wrapped") {
  Random random(26);
  test::checkEmbeddings(cuda(), random);
}

TEST("kernels normalise with and without a bias, in place too") {
  Random random(27);
  test::checkNorms(cuda(), random);
}

TEST("kernels turn pairs of halves by exact angles, also far out") {
  Random random(28);
  test::checkRopes(cuda(), random);
}

TEST("kernels activate by ReLU or SiLU, gated or not, and may replace the gate") {
  Random random(29);
  test::checkActivations(cuda(), random);
  test::checkExtremeSilu(cuda());
}

TEST("kernels merge by the exponentials of both sides, also where those overflow") {
  Random random(30);
  test::checkMerges(cuda(), random);
}

TEST("kernels append a new token to one or two places") {
  Random random(31);
  test::checkAppends(cuda(), random);
}

TEST("kernels make NaN of what was never written") {
  Random random(32);
  test::checkPoison(cuda(), random);
}

TEST("kernels fill memory of every pool with the numbers that the host draws, to the bit") {
  for (Type type : test::kAllTypes) {
    for (Pool pool : {Pool::gpu, Pool::pinned, Pool::host}) {
      constexpr size_t count = 70'001;
      test::Tensor expected(type, count);
      const test::OnDevice memory(cuda(), expected, 3, pool);
      const Fill fill{type, expected.data(), count, 77, uint64_t(1) << 40, 0.3f, 1.7f};
      splitpoint::fill(fill);
      Fill onDevice = fill;
      onDevice.target = memory.at();
      cuda().fill(pool, onDevice);
      CHECK(std::memcmp(memory.now().data(), expected.data(), count * bytesOf(type)) == 0);
    }
  }
}

}  // namespace
}  // namespace splitpoint
