#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <functional>

namespace splitpoint {

// Work that is ready to be enqueued on a stream.
using Launch = std::function<void(cudaStream_t)>;

// Loads a kernel's code. CUDA loads it at the first launch otherwise, which may wait for the whole device, and so for a
// closed gate.
void loadKernel(const void* kernel);

void launchKernel(const void* kernel, dim3 grid, dim3 block, size_t sharedBytes, void** arguments, cudaStream_t stream);

// A launch of `kernel` with copies of the arguments; the kernel is loaded at once.
template <typename... Parameters, typename... Arguments>
Launch launchOf(void (*kernel)(Parameters...), dim3 grid, dim3 block, size_t sharedBytes, Arguments... arguments) {
  static_assert(sizeof...(Parameters) == sizeof...(Arguments));
  loadKernel(reinterpret_cast<const void*>(kernel));
  return [=](cudaStream_t stream) {
    [&](Parameters... converted) {
      void* pointers[] = {const_cast<void*>(static_cast<const void*>(&converted))...};
      launchKernel(reinterpret_cast<const void*>(kernel), grid, block, sharedBytes, pointers, stream);
    }(arguments...);
  };
}

}  // namespace splitpoint
