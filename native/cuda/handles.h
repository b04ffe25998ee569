#pragma once

#include <cuda_runtime.h>

#include <atomic>
#include <cstdint>
#include <memory>

#include "cuda/error.h"

namespace splitpoint {

struct StreamDeleter {
  void operator()(cudaStream_t stream) const { cudaStreamDestroy(stream); }
};
using StreamHandle = std::unique_ptr<CUstream_st, StreamDeleter>;

// That does not wait for the default stream.
inline StreamHandle makeStream() {
  cudaStream_t stream;
  CUDA_CHECK(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking));
  return StreamHandle(stream);
}

struct EventDeleter {
  void operator()(cudaEvent_t event) const { cudaEventDestroy(event); }
};
using EventHandle = std::unique_ptr<CUevent_st, EventDeleter>;

inline EventHandle makeEvent(unsigned flags) {
  cudaEvent_t event;
  CUDA_CHECK(cudaEventCreateWithFlags(&event, flags));
  return EventHandle(event);
}

struct GraphDeleter {
  void operator()(cudaGraph_t graph) const { cudaGraphDestroy(graph); }
};
using GraphHandle = std::unique_ptr<CUgraph_st, GraphDeleter>;

struct GraphExecDeleter {
  void operator()(cudaGraphExec_t graph) const { cudaGraphExecDestroy(graph); }
};
using GraphExecHandle = std::unique_ptr<CUgraphExec_st, GraphExecDeleter>;

struct DeviceMemoryDeleter {
  void operator()(void* memory) const { cudaFree(memory); }
};
using DeviceMemory = std::unique_ptr<void, DeviceMemoryDeleter>;

inline DeviceMemory makeDeviceMemory(size_t bytes) {
  void* memory;
  CUDA_CHECK(cudaMalloc(&memory, bytes));
  return DeviceMemory(memory);
}

}  // namespace splitpoint
