#pragma once

#include <cstdint>
#include <string>

namespace splitpoint {

// c (m × n) = a (m × k) · b + beta · c, fp32, row-major; b is k × n, or n × k where transposed. Leading dimensions in
// elements.
struct Sgemm {
  uint64_t m, n, k;
  const float* a;
  uint64_t aStride;
  const float* b;
  uint64_t bStride;
  bool bTransposed;
  float beta;  // 0: c is not read
  float* c;
  uint64_t cStride;
};

// A CBLAS loaded at run time, set to one thread, or the built-in multiplication where there is none.
class Blas {
 public:
  // The environment's SPLITPOINT_BLAS is a library's path, or "builtin"; without it the build's library is tried, then
  // the system's OpenBLAS. Throws DeviceError where the environment names a library that cannot be used.
  Blas();

  const std::string& name() const { return name_; }
  void multiply(const Sgemm& sgemm) const;

 private:
  using CblasSgemm = void (*)(int order, int transA, int transB, int m, int n, int k, float alpha, const float* a,
                              int lda, const float* b, int ldb, float beta, float* c, int ldc);
  // Empty when it worked, otherwise why not.
  std::string load(const char* path);

  std::string name_ = "built-in";
  CblasSgemm sgemm_ = nullptr;
};

// Without any library.
void multiplyBuiltIn(const Sgemm& sgemm);

}  // namespace splitpoint
