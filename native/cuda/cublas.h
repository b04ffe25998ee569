#pragma once

#include <cuda_runtime.h>

#include <memory>
#include <string>

#include "core/device.h"

namespace splitpoint {

struct CublasFunctions;

// cuBLAS, loaded at run time: the file that the environment's SPLITPOINT_CUBLAS names, or else the first that works
// among the system's, the toolkit's and those of Python environments. Bound to one stream.
class Cublas {
 public:
  // Throws DeviceError that says where it looked.
  explicit Cublas(cudaStream_t stream);
  ~Cublas();
  Cublas(const Cublas&) = delete;
  Cublas& operator=(const Cublas&) = delete;

  // Version and file.
  const std::string& description() const { return description_; }

  // Enqueues c = a · b, or c += a · b; the bias is left out. Sums are in fp32; fp32 inputs are not rounded to TF32.
  void multiply(const Gemm& gemm, bool add) const;

 private:
  // Empty when it worked, otherwise why not.
  std::string open(const std::string& file, cudaStream_t stream);
  void close();

  std::unique_ptr<CublasFunctions> functions_;
  void* handle_ = nullptr;
  void* workspace_ = nullptr;
  std::string description_;
};

}  // namespace splitpoint
