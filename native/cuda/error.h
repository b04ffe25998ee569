#pragma once

#include <cuda_runtime.h>

namespace splitpoint {

// Throws DeviceError with the call and CUDA's own text unless the status is success.
void checkCuda(cudaError_t status, const char* call);

}  // namespace splitpoint

#define CUDA_CHECK(...) ::splitpoint::checkCuda((__VA_ARGS__), #__VA_ARGS__)
