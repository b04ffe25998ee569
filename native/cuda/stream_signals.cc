#include "cuda/stream_signals.h"

#include <string>

#include "core/device.h"
#include "cuda/kernels.h"

namespace splitpoint {
namespace {

constexpr double kHostSeconds = 60;

template <typename F>
F driverFunction(const char* name) {
  void* function = nullptr;
  cudaDriverEntryPointQueryResult result;
#if CUDART_VERSION >= 12050
  const cudaError_t status = cudaGetDriverEntryPointByVersion(name, &function, 12000, cudaEnableDefault, &result);
#else
  const cudaError_t status = cudaGetDriverEntryPoint(name, &function, cudaEnableDefault, &result);
#endif
  if (status != cudaSuccess) cudaGetLastError();
  return status == cudaSuccess && result == cudaDriverEntryPointSuccess ? reinterpret_cast<F>(function) : nullptr;
}

CUdeviceptr address(uint32_t* word) { return reinterpret_cast<CUdeviceptr>(word); }

bool capturing(cudaStream_t stream) {
  cudaStreamCaptureStatus status;
  CUDA_CHECK(cudaStreamIsCapturing(stream, &status));
  return status != cudaStreamCaptureStatusNone;
}

void checkDriver(CUresult result, const char* call) {
  if (result != CUDA_SUCCESS)
    throw DeviceError(std::string(call) + " failed with the driver's error " + std::to_string(int(result)));
}

}  // namespace

StreamSignals::StreamSignals(cudaStream_t stream, MappedWords& words) {
  // The kernels first, so that they are loaded before anything waits.
  signalLaunch(words.onDevice(0), 1)(stream);
  awaitLaunch(words.onDevice(0), 1, kHostSeconds, nullptr)(stream);
  CUDA_CHECK(cudaStreamSynchronize(stream));
  const auto write = driverFunction<decltype(write_)>("cuStreamWriteValue32");
  const auto wait = driverFunction<decltype(wait_)>("cuStreamWaitValue32");
  if (write && wait && write(stream, address(words.onDevice(0)), 2, CU_STREAM_WRITE_VALUE_DEFAULT) == CUDA_SUCCESS) {
    CUDA_CHECK(cudaStreamSynchronize(stream));
    const bool worked =
        words.load(0) == 2 && wait(stream, address(words.onDevice(0)), 2, CU_STREAM_WAIT_VALUE_GEQ) == CUDA_SUCCESS;
    CUDA_CHECK(cudaStreamSynchronize(stream));
    if (worked) write_ = write, wait_ = wait;
  }
  words.store(0, 0);
}

void StreamSignals::signal(cudaStream_t stream, uint32_t* word, uint32_t value) const {
  if (write_ && !capturing(stream))
    checkDriver(write_(stream, address(word), value, CU_STREAM_WRITE_VALUE_DEFAULT), "cuStreamWriteValue32");
  else
    signalLaunch(word, value)(stream);
}

void StreamSignals::await(cudaStream_t stream, uint32_t* word, uint32_t value, uint32_t* expired) const {
  if (wait_ && !capturing(stream))
    checkDriver(wait_(stream, address(word), value, CU_STREAM_WAIT_VALUE_GEQ), "cuStreamWaitValue32");
  else
    awaitLaunch(word, value, kHostSeconds, expired)(stream);
}

}  // namespace splitpoint
