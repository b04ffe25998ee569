#pragma once

#include <cmath>
#include <vector>

#include "test/on_device.h"

// Matrix products on any device, against their definition in float64.

namespace splitpoint::test {

struct GemmShape {
  uint64_t m, n, k;
  bool bTransposed, bias, accumulate, fp32Output;
};

// `elementsBefore`: where operands begin, as weights do behind others of odd sizes.
inline void checkGemm(Device& device, Random& random, Type type, const GemmShape& shape, size_t elementsBefore = 0) {
  const auto [m, n, k, bTransposed, hasBias, accumulate, fp32Output] = shape;
  const Type outputType = fp32Output ? Type::fp32 : type;
  const Tensor a = randomTensor(random, type, m * k), b = randomTensor(random, type, k * n);
  const Tensor bias = randomTensor(random, type, n);
  // NaN where it must not be read.
  const Tensor before = accumulate ? randomTensor(random, outputType, m * n) : Tensor(outputType, m * n);
  const OnDevice aMemory(device, a), bMemory(device, b, elementsBefore), biasMemory(device, bias, elementsBefore);
  const OnDevice cMemory(device, before, elementsBefore);
  device.gemm(kCompute, {.type = type,
                         .m = m,
                         .n = n,
                         .k = k,
                         .a = aMemory.at(),
                         .b = bMemory.at(),
                         .bTransposed = bTransposed,
                         .bias = hasBias ? biasMemory.at() : nullptr,
                         .accumulate = accumulate,
                         .fp32Output = fp32Output,
                         .c = cMemory.at()});
  const Tensor c = cMemory.now();
  const std::vector<double> left = a.numbers(), right = b.numbers();
  std::vector<double> sums(n), magnitudes(n);
  for (uint64_t row = 0; row < m; ++row) {
    for (uint64_t column = 0; column < n; ++column) {
      sums[column] = (hasBias ? bias[column] : 0) + (accumulate ? before[row * n + column] : 0);
      magnitudes[column] = std::abs(sums[column]);
    }
    // Where both are added first, their sum may be rounded.
    const std::vector<double> added = hasBias && accumulate ? magnitudes : std::vector<double>(n, 0);
    for (uint64_t i = 0; i < k; ++i) {
      for (uint64_t column = 0; column < n; ++column) {
        const double product = left[row * k + i] * right[bTransposed ? column * k + i : i * n + column];
        sums[column] += product;
        magnitudes[column] += std::abs(product);
      }
    }
    for (uint64_t column = 0; column < n; ++column) {
      // Rounding errors of a sum grow with its terms, that of the result with the result.
      const double summing = magnitudes[column] * std::sqrt(double(k) + 2) * std::ldexp(1.0, -23);
      CHECK_CLOSE(c[row * n + column], sums[column],
                  summing + toleranceOf(outputType, std::abs(sums[column]) + summing + added[column], 0));
    }
  }
}

inline void checkManyGemms(Device& device, Random& random, int shapesOfType) {
  for (Type type : kAllTypes) {
    for (int i = 0; i < shapesOfType; ++i)
      checkGemm(device, random, type,
                {anyOf(random, 1, 40), anyOf(random, 1, 70), anyOf(random, 1, 300), i % 2 == 0, i % 4 < 2, i % 8 < 4,
                 i % 16 < 8},
                i % 3);
    // Beyond every block size.
    for (bool transposed : {false, true}) {
      checkGemm(device, random, type, {1030, 21, 520, transposed, true, true, false});
      checkGemm(device, random, type, {3, 1030, 70, transposed, true, false, false});
    }
  }
}

}  // namespace splitpoint::test
