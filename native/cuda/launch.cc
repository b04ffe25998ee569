#include "cuda/launch.h"

#include "cuda/error.h"

namespace splitpoint {

void loadKernel(const void* kernel) {
  cudaFuncAttributes attributes;
  CUDA_CHECK(cudaFuncGetAttributes(&attributes, kernel));
}

void launchKernel(const void* kernel, dim3 grid, dim3 block, size_t sharedBytes, void** arguments,
                  cudaStream_t stream) {
  CUDA_CHECK(cudaLaunchKernel(kernel, grid, block, arguments, sharedBytes, stream));
}

}  // namespace splitpoint
