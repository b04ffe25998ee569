#include "cpu/gemm.h"

#include <cstdlib>
#include <string>
#include <vector>

#include "test/check.h"
#include "test/cpu_oracle.h"

namespace splitpoint {
namespace {

using test::Random;
using test::Tensor;

struct Shape {
  uint64_t m, n, k;
  bool bTransposed, bias, accumulate, fp32Output;
};

void checkGemm(const Blas& blas, Random& random, Type type, const Shape& shape) {
  const auto [m, n, k, bTransposed, hasBias, accumulate, fp32Output] = shape;
  const Type outputType = fp32Output ? Type::fp32 : type;
  Tensor a = test::randomTensor(random, type, m * k);
  Tensor b = test::randomTensor(random, type, k * n);
  Tensor bias = test::randomTensor(random, type, n);
  // NaN where it must not be read.
  Tensor c = accumulate ? test::randomTensor(random, outputType, m * n) : Tensor(outputType, m * n);
  Tensor before = c;
  multiply({.type = type,
            .m = m,
            .n = n,
            .k = k,
            .a = a.data(),
            .b = b.data(),
            .bTransposed = bTransposed,
            .bias = hasBias ? bias.data() : nullptr,
            .accumulate = accumulate,
            .fp32Output = fp32Output,
            .c = c.data()},
           blas);
  const std::vector<double> left = a.numbers(), right = b.numbers();
  for (uint64_t row = 0; row < m; ++row) {
    for (uint64_t column = 0; column < n; ++column) {
      double sum = (hasBias ? bias[column] : 0) + (accumulate ? before[row * n + column] : 0);
      double magnitude = std::abs(sum);
      for (uint64_t i = 0; i < k; ++i) {
        const double product = left[row * k + i] * (bTransposed ? right[column * k + i] : right[i * n + column]);
        sum += product;
        magnitude += std::abs(product);
      }
      // Rounding errors of a sum grow with its terms, that of the result with the result.
      const double summing = magnitude * std::sqrt(double(k) + 2) * std::ldexp(1.0, -23);
      CHECK_CLOSE(c[row * n + column], sum, summing + test::toleranceOf(outputType, std::abs(sum) + summing, 0));
    }
  }
}

void checkManyShapes(const Blas& blas) {
  Random random(3);
  for (Type type : test::kAllTypes) {
    for (int i = 0; i < 60; ++i) {
      checkGemm(blas, random, type,
                {test::anyOf(random, 1, 40), test::anyOf(random, 1, 70), test::anyOf(random, 1, 300), i % 2 == 0,
                 i % 4 < 2, i % 8 < 4, i % 16 < 8});
    }
    // Beyond every block size.
    for (bool transposed : {false, true}) {
      checkGemm(blas, random, type, {1030, 21, 520, transposed, true, true, false});
      checkGemm(blas, random, type, {3, 1030, 70, transposed, true, false, false});
    }
  }
}

TEST("the library multiplies as the definition says, for all types, layouts, biases and accumulations") {
  checkManyShapes(Blas());
}

TEST("the built-in multiplication gives the same") {
  const char* before = std::getenv("SPLITPOINT_BLAS");
  const std::string kept = before ? before : "";
  setenv("SPLITPOINT_BLAS", "builtin", 1);
  const Blas builtIn;
  before ? setenv("SPLITPOINT_BLAS", kept.c_str(), 1) : unsetenv("SPLITPOINT_BLAS");
  CHECK(builtIn.name() == "built-in");
  checkManyShapes(builtIn);
}

}  // namespace
}  // namespace splitpoint
