#include "addon/devices.h"

#include <cmath>

#include "addon/values.h"
#include "core/text.h"
#include "cpu/cpu_device.h"
#ifdef SPLITPOINT_CUDA
#include "cuda/cuda_device.h"
#endif

namespace splitpoint::addon {

namespace {

constexpr uint64_t kMostThreads = 1024;

struct Options {
  double linkBytesPerSecond = 0;
  uint32_t hostThreads = 0;
  bool graph = false;
};

Options optionsOf(Napi::Value value) {
  Options options;
  if (isNothing(value)) return options;
  const Napi::Object object = asObject(value, "options");
  if (const Napi::Value rate = object.Get("linkBytesPerSecond"); !isNothing(rate)) {
    options.linkBytesPerSecond = numberAt(object, "linkBytesPerSecond", "options");
    if (!(std::isfinite(options.linkBytesPerSecond) && options.linkBytesPerSecond > 0)) {
      throwExpected(rate, "options.linkBytesPerSecond", "a positive number");
    }
  }
  if (const Napi::Value threads = object.Get("hostThreads"); !isNothing(threads)) {
    options.hostThreads = uint32_t(asWhole(threads, "options.hostThreads", kMostThreads));
    if (options.hostThreads == 0) throwExpected(threads, "options.hostThreads", "at least 1");
  }
  if (!isNothing(object.Get("graph"))) options.graph = booleanAt(object, "graph", "options");
  return options;
}

std::unique_ptr<Device> openCuda([[maybe_unused]] const Options& options) {
#ifdef SPLITPOINT_CUDA
  return openCudaDevice({options.hostThreads, options.graph});
#else
  throw DeviceError("this build has no CUDA backend: where it was made there was no nvcc (CUDA 12 or newer)");
#endif
}

}  // namespace

std::unique_ptr<Device> openDevice(const std::string& backend, Napi::Value value) {
  const Options options = optionsOf(value);
  if (backend == "cpu") return std::make_unique<CpuDevice>(CpuOptions{options.linkBytesPerSecond, options.hostThreads});
  if (backend == "cuda") return openCuda(options);
  throw Napi::TypeError::New(value.Env(), text("the backend is \"", backend, "\", expected \"cpu\" or \"cuda\""));
}

Napi::Object infoObject(Napi::Env env, const DeviceInfo& info) {
  const Napi::Object object = Napi::Object::New(env);
  object.Set("backend", info.backend);
  object.Set("name", info.name);
  object.Set("driver", info.driver);
  object.Set("blas", info.blas);
  object.Set("gpuBytes", double(info.gpuBytes));
  object.Set("gpuFreeBytes", double(info.gpuFreeBytes));
  object.Set("hostBytes", double(info.hostBytes));
  object.Set("hostFreeBytes", double(info.hostFreeBytes));
  object.Set("multiprocessors", info.multiprocessors);
  object.Set("hostThreads", info.hostThreads);
  return object;
}

}  // namespace splitpoint::addon
