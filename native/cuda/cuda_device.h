#pragma once

#include <cstdint>
#include <memory>

#include "core/device.h"

namespace splitpoint {

struct CudaOptions {
  // Threads of the host's attention; 0: the cores but one, at least 1.
  uint32_t hostThreads = 0;
  // Captures what is enqueued behind a gate into a graph and launches that.
  bool graph = false;
};

// The first GPU that CUDA lists. Throws DeviceError where there is no driver, GPU or cuBLAS, and says what to do.
std::unique_ptr<Device> openCudaDevice(const CudaOptions& options);

}  // namespace splitpoint
