#include "cuda/error.h"

#include <string>

#include "core/device.h"

namespace splitpoint {

void checkCuda(cudaError_t status, const char* call) {
  if (status == cudaSuccess) return;
  cudaGetLastError();  // otherwise later calls report it again
  throw DeviceError(std::string(call) + " failed: " + cudaGetErrorString(status) + " (" + cudaGetErrorName(status) +
                    ")");
}

}  // namespace splitpoint
