#include "cpu/kernels.h"

#include <cmath>

#include "cpu/cpu_device.h"
#include "test/check.h"
#include "test/small_kernel_checks.h"

namespace splitpoint {
namespace {

using test::Random;
using test::Tensor;
using test::toleranceOf;

TEST("embedding takes each sequence's token and adds its learned position, wrapped") {
  CpuDevice device({});
  Random random(11);
  test::checkEmbeddings(device, random);
}

TEST("norms with a bias are layer norms, without one RMS norms, in place too") {
  CpuDevice device({});
  Random random(12);
  test::checkNorms(device, random);
}

TEST("rotary embedding turns pairs of halves by exact angles, also far out") {
  CpuDevice device({});
  Random random(13);
  test::checkRopes(device, random);
}

TEST("activations are ReLU or SiLU, gated or not, and may replace the gate") {
  CpuDevice device({});
  Random random(14);
  test::checkActivations(device, random);
}

TEST("SiLU of very large and very small numbers is finite") {
  CpuDevice device({});
  test::checkExtremeSilu(device);
}

TEST("what was never written is not a number in what is made of it") {
  CpuDevice device({});
  Random random(16);
  test::checkPoison(device, random);
}

TEST("merging weighs both sides by their exponentials, also where those overflow") {
  CpuDevice device({});
  Random random(15);
  test::checkMerges(device, random);
}

TEST("a new token is appended to one or two places") {
  CpuDevice device({});
  Random random(17);
  test::checkAppends(device, random);
}

TEST("filling draws each element by its index alone, rounded to the type") {
  for (Type type : test::kAllTypes) {
    constexpr size_t count = 5000;
    constexpr uint64_t seed = 77, first = 1ull << 40;
    Tensor whole(type, count);
    fill({type, whole.data(), count, seed, first, 0.5f, 2.0f});
    double sum = 0, squares = 0;
    for (size_t i = 0; i < count; ++i) {
      const double exact = 0.5 * double(normalAt(seed, first + i)) + 2;
      CHECK_CLOSE(whole[i], exact, toleranceOf(type, std::abs(exact), 2));
      sum += whole[i], squares += whole[i] * whole[i];
    }
    CHECK_CLOSE(sum / count, 2, 0.05);
    CHECK_CLOSE(squares / count - std::pow(sum / count, 2), 0.25, 0.03);
    Tensor part(type, 100);
    fill({type, part.data(), 100, seed, first + 1234, 0.5f, 2.0f});
    for (size_t i = 0; i < 100; ++i) CHECK(part[i] == whole[1234 + i]);
  }
}

}  // namespace
}  // namespace splitpoint
