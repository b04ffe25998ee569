#include "cuda/cuda_device.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <set>
#include <string>
#include <thread>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "cpu/attend.h"
#include "cpu/cpu_stream.h"
#include "cpu/kernels.h"
#include "cpu/memory.h"
#include "cpu/paced_copy.h"
#include "cpu/thread_pool.h"
#include "cuda/cublas.h"
#include "cuda/error.h"
#include "cuda/event_table.h"
#include "cuda/handles.h"
#include "cuda/kernels.h"
#include "cuda/mapped_words.h"
#include "cuda/stream_signals.h"

namespace splitpoint {
namespace {

using Cancelled = std::atomic<bool>;

// A stream holds some 1000 commands; then enqueueing waits, and behind a closed gate it would until the gate gives up.
// An operation is one to three kernels (several GEMMs with their bias and cuBLAS's own second kernels at most, and
// those are few), up to three records of events and as many waits: 7 on average is plenty.
constexpr uint32_t kEagerOperations = 128;
// A graph holds what it is given; so large only that it is built in a fraction of a second.
constexpr uint32_t kGraphOperations = 20000;
constexpr double kGateSeconds = 5;
constexpr double kOpeningSeconds = 30;
constexpr uint64_t kPartialsBytes = 32 << 20;
constexpr std::chrono::microseconds kPoll{50};

enum Word : size_t { kGate, kOpened, kExpired, kWords };

std::string versionText(int version) {
  return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

// Its number, or DeviceError.
int firstGpu() {
  int count = 0, runtime = 0;
  const cudaError_t status = cudaGetDeviceCount(&count);
  cudaRuntimeGetVersion(&runtime);
  if (status == cudaSuccess && count > 0) return 0;
  cudaGetLastError();
  if (status == cudaErrorInsufficientDriver)
    throw DeviceError("there is no NVIDIA driver here, or one older than CUDA " + versionText(runtime) +
                      " needs: install or update it (nvidia-smi shows its version)");
  if (status == cudaErrorNoDevice || status == cudaSuccess)
    throw DeviceError(
        "the NVIDIA driver sees no GPU: check nvidia-smi, CUDA_VISIBLE_DEVICES, and that a container was started with "
        "its GPUs");
  throw DeviceError(std::string("CUDA cannot be used: ") + cudaGetErrorString(status) + " (" +
                    cudaGetErrorName(status) + ")");
}

// What `enqueue` puts on the stream, as a graph.
template <typename F>
GraphExecHandle captured(cudaStream_t stream, const F& enqueue) {
  cudaGraph_t graph = nullptr;
  // Other threads and sessions may do with CUDA what they like meanwhile.
  CUDA_CHECK(cudaStreamBeginCapture(stream, cudaStreamCaptureModeRelaxed));
  try {
    enqueue();
  } catch (...) {
    cudaStreamEndCapture(stream, &graph);
    cudaGraphDestroy(graph);
    cudaGetLastError();
    throw;
  }
  CUDA_CHECK(cudaStreamEndCapture(stream, &graph));
  const GraphHandle owned(graph);
  cudaGraphExec_t executable;
  CUDA_CHECK(cudaGraphInstantiate(&executable, graph, 0));
  GraphExecHandle result(executable);
  CUDA_CHECK(cudaGraphUpload(executable, stream));
  return result;
}

// Memory that CUDA does not know: copies from and to it go through the host's hands.
bool isPageable(const void* memory) {
  cudaPointerAttributes attributes;
  CUDA_CHECK(cudaPointerGetAttributes(&attributes, memory));
  return attributes.type == cudaMemoryTypeUnregistered;
}

class CudaDevice : public Device {
 public:
  explicit CudaDevice(const CudaOptions& options);
  ~CudaDevice() override;

  DeviceInfo info() override;

  void* allocate(Pool pool, uint64_t bytes) override;
  void free(Pool pool, void* memory) override;

  void fill(Pool pool, const Fill& fill) override;
  void setBytes(Pool pool, void* target, uint8_t value, uint64_t bytes) override;
  void read(Pool pool, const void* source, void* target, uint64_t bytes) override;
  void write(Pool pool, const void* source, void* target, uint64_t bytes) override;

  void copy(Stream stream, const Copy& copy) override;
  void capture(Stream stream, const Copy& copy) override;
  void embed(Stream stream, const Embed& embed) override { enqueue(stream, embedLaunch(embed)); }
  void norm(Stream stream, const Norm& norm) override { enqueue(stream, normLaunch(norm)); }
  void rope(Stream stream, const Rope& rope) override { enqueue(stream, ropeLaunch(rope)); }
  void activate(Stream stream, const Activate& activate) override { enqueue(stream, activateLaunch(activate)); }
  void gemm(Stream stream, const Gemm& gemm) override;
  void attend(Stream stream, const Attend& attend) override;
  void merge(Stream stream, const Merge& merge) override { enqueue(stream, mergeLaunch(merge)); }
  void append(Stream stream, const Append& append) override { enqueue(stream, appendLaunch(append)); }

  uint32_t gateLimit() override { return options_.graph ? kGraphOperations : kEagerOperations; }
  void resetEvents(uint32_t count) override { events_.reset(count); }
  void record(Stream stream, uint32_t event, bool crosses) override;
  void wait(Stream stream, uint32_t event) override;
  bool reached(uint32_t event) override { return events_.reached(event); }
  double secondsBetween(uint32_t from, uint32_t to) override { return events_.secondsBetween(from, to); }

  void closeGate() override { holding_ = true; }
  double openGate() override;
  bool drained(double seconds) override;
  void cancel() override;

 private:
  // Runs the command, or keeps it until the gate opens.
  void perform(std::function<void()> command);
  void enqueue(Stream stream, Launch launch);
  cudaStream_t deviceStream(Stream stream) const;
  void copyNow(cudaStream_t stream, const Copy& copy);
  void loadGemm(const Gemm& gemm);

  void enqueueHeld(const std::vector<std::function<void()>>& held, uint32_t round);
  void launchHeld(const std::vector<std::function<void()>>& held, uint32_t round);
  void branchOff();
  void joinIn();
  void openNow(uint32_t round);
  void awaitOpening(uint32_t round);
  void finish();

  const CudaOptions options_;
  std::string name_, driver_;
  uint32_t multiprocessors_;
  uint64_t mostPitch_;  // bytes between the rows of one copy
  StreamHandle h2d_ = makeStream(), d2h_ = makeStream(), compute_ = makeStream();
  EventHandle branch_ = makeEvent(cudaEventDisableTiming), join_ = makeEvent(cudaEventDisableTiming);
  DeviceMemory partials_ = makeDeviceMemory(kPartialsBytes);
  Cublas cublas_{compute_.get()};
  MappedWords words_{kWords};
  StreamSignals signals_{compute_.get(), words_};
  ThreadPool hostPool_;

  // Between closeGate and openGate, commands are only noted down: then nothing holds the device yet while kernels are
  // loaded for them, for which CUDA may have to wait until it is idle.
  bool holding_ = false;
  std::vector<std::function<void()>> held_;
  // The gate's kernel runs.
  bool closed_ = false;
  // When all that was noted down had been enqueued.
  Clock::time_point enqueued_;
  std::atomic<uint32_t> rounds_{0};
  std::atomic<bool> cancelled_{false};
  std::set<std::tuple<uint64_t, uint64_t, uint64_t, Type, bool, bool, bool, uint64_t>> loadedGemms_;
  GraphExecHandle graph_;

  // Its thread uses all of the above.
  CpuStream host_{[this] { cancel(); }};
  EventTable events_{{h2d_.get(), d2h_.get(), compute_.get()}, host_, signals_, words_.onDevice(kExpired)};
};

CudaDevice::CudaDevice(const CudaOptions& options)
    : options_(options), hostPool_(options.hostThreads ? options.hostThreads : std::max(usableCores(), 2u) - 1) {
  cudaDeviceProp properties;
  CUDA_CHECK(cudaGetDeviceProperties(&properties, 0));
  name_ = properties.name;
  multiprocessors_ = uint32_t(properties.multiProcessorCount);
  mostPitch_ = properties.memPitch;
  int driver = 0, runtime = 0;
  CUDA_CHECK(cudaDriverGetVersion(&driver));
  CUDA_CHECK(cudaRuntimeGetVersion(&runtime));
  driver_ = "driver for CUDA " + versionText(driver) + ", runtime " + versionText(runtime);
}

CudaDevice::~CudaDevice() {
  cancel();
  for (cudaStream_t stream : {h2d_.get(), d2h_.get(), compute_.get()}) cudaStreamSynchronize(stream);
  host_.idle(Clock::time_point::max());
}

DeviceInfo CudaDevice::info() {
  size_t free = 0, total = 0;
  CUDA_CHECK(cudaMemGetInfo(&free, &total));
  DeviceInfo info;
  info.backend = "cuda";
  info.name = name_;
  info.driver = driver_;
  info.blas = cublas_.description();
  info.gpuBytes = total;
  info.gpuFreeBytes = free;
  info.hostBytes = totalMemoryBytes();
  info.hostFreeBytes = availableMemoryBytes();
  info.multiprocessors = multiprocessors_;
  info.hostThreads = hostPool_.threads();
  return info;
}

void* CudaDevice::allocate(Pool pool, uint64_t bytes) {
  if (pool == Pool::host) return allocateTouched(pool, bytes);
  const auto outOfMemory = [&](uint64_t available) {
    const std::string kind = pool == Pool::gpu ? "of the GPU's memory" : "of pinned host memory";
    return OutOfMemory(
        pool, bytes, available,
        std::to_string(bytes) + " bytes " + kind + " were asked for, " + std::to_string(available) + " are available");
  };
  // The system would rather end a process than refuse to pin.
  if (pool == Pool::pinned && bytes > availableMemoryBytes()) throw outOfMemory(availableMemoryBytes());
  void* memory = nullptr;
  const size_t size = std::max<uint64_t>(bytes, 1);
  const cudaError_t status = pool == Pool::gpu
                                 ? cudaMalloc(&memory, size)
                                 : cudaHostAlloc(&memory, size, cudaHostAllocPortable | cudaHostAllocMapped);
  if (status == cudaErrorMemoryAllocation) {
    cudaGetLastError();
    size_t free = 0, total = 0;
    if (pool == Pool::gpu) CUDA_CHECK(cudaMemGetInfo(&free, &total));
    throw outOfMemory(pool == Pool::gpu ? free : availableMemoryBytes());
  }
  checkCuda(status, pool == Pool::gpu ? "cudaMalloc" : "cudaHostAlloc");
  return memory;
}

void CudaDevice::free(Pool pool, void* memory) {
  // Nothing can be done about failures.
  if (pool == Pool::gpu)
    cudaFree(memory);
  else if (pool == Pool::pinned)
    cudaFreeHost(memory);
  else
    std::free(memory);
}

void CudaDevice::fill(Pool pool, const Fill& fill) {
  if (fill.count == 0) return;
  if (pool == Pool::host) return splitpoint::fill(fill);
  // Pinned memory too, through the link: much faster than by the host.
  fillLaunch(fill)(compute_.get());
  CUDA_CHECK(cudaStreamSynchronize(compute_.get()));
}

void CudaDevice::setBytes(Pool pool, void* target, uint8_t value, uint64_t bytes) {
  if (pool != Pool::gpu) {
    std::memset(target, value, bytes);
    return;
  }
  CUDA_CHECK(cudaMemsetAsync(target, value, bytes, compute_.get()));
  CUDA_CHECK(cudaStreamSynchronize(compute_.get()));
}

void CudaDevice::read(Pool pool, const void* source, void* target, uint64_t bytes) {
  if (pool != Pool::gpu) {
    std::memcpy(target, source, bytes);
    return;
  }
  CUDA_CHECK(cudaMemcpyAsync(target, source, bytes, cudaMemcpyDeviceToHost, compute_.get()));
  CUDA_CHECK(cudaStreamSynchronize(compute_.get()));
}

void CudaDevice::write(Pool pool, const void* source, void* target, uint64_t bytes) {
  if (pool != Pool::gpu) {
    std::memcpy(target, source, bytes);
    return;
  }
  CUDA_CHECK(cudaMemcpyAsync(target, source, bytes, cudaMemcpyHostToDevice, compute_.get()));
  CUDA_CHECK(cudaStreamSynchronize(compute_.get()));
}

void CudaDevice::perform(std::function<void()> command) {
  if (cancelled_) return;
  if (holding_)
    held_.push_back(std::move(command));
  else
    command();
}

cudaStream_t CudaDevice::deviceStream(Stream stream) const {
  switch (stream) {
    case kH2d:
      return h2d_.get();
    case kD2h:
      return d2h_.get();
    case kCompute:
      return compute_.get();
    default:
      throw DeviceError("the host's stream only attends");
  }
}

void CudaDevice::enqueue(Stream stream, Launch launch) {
  perform([on = deviceStream(stream), launch = std::move(launch)] { launch(on); });
}

void CudaDevice::copyNow(cudaStream_t stream, const Copy& copy) {
  if (isPageable(copy.source) || isPageable(copy.target)) {
    if (options_.graph) throw DeviceError("a CUDA graph copies only from and to pinned memory");
    // CUDA would wait here until the stream comes to this copy, or read a small source before it does.
    if (closed_) openNow(rounds_);
    CUDA_CHECK(cudaStreamSynchronize(stream));
  }
  if (copy.rows <= 1 || (copy.sourceStride == copy.rowBytes && copy.targetStride == copy.rowBytes)) {
    CUDA_CHECK(cudaMemcpyAsync(copy.target, copy.source, copy.rowBytes * copy.rows, cudaMemcpyDefault, stream));
  } else if (std::max(copy.sourceStride, copy.targetStride) > mostPitch_) {
    for (uint64_t row = 0; row < copy.rows; ++row)
      CUDA_CHECK(cudaMemcpyAsync(static_cast<char*>(copy.target) + row * copy.targetStride,
                                 static_cast<const char*>(copy.source) + row * copy.sourceStride, copy.rowBytes,
                                 cudaMemcpyDefault, stream));
  } else {
    CUDA_CHECK(cudaMemcpy2DAsync(copy.target, copy.targetStride, copy.source, copy.sourceStride, copy.rowBytes,
                                 copy.rows, cudaMemcpyDefault, stream));
  }
}

void CudaDevice::copy(Stream stream, const Copy& copy) {
  perform([this, on = deviceStream(stream), copy] { copyNow(on, copy); });
}

void CudaDevice::capture(Stream stream, const Copy& copy) {
  if (stream != kHost) return this->copy(stream, copy);
  perform([this, copy] { host_.enqueue([copy](const Cancelled& cancelled) { pacedCopy(copy, 0, cancelled); }); });
}

// Loads the kernels that cuBLAS chooses, by way of a graph that is never launched.
void CudaDevice::loadGemm(const Gemm& gemm) {
  // Nothing is in the way without a gate, and a graph's gate is its launch.
  if (!holding_ || options_.graph) return;
  const uint64_t misaligned = (uintptr_t(gemm.a) | uintptr_t(gemm.b) | uintptr_t(gemm.c)) & 15;
  const bool adds = gemm.accumulate || gemm.bias;
  if (!loadedGemms_.emplace(gemm.m, gemm.n, gemm.k, gemm.type, gemm.bTransposed, gemm.fp32Output, adds, misaligned)
           .second)
    return;
  captured(compute_.get(), [&] { cublas_.multiply(gemm, adds); });
  CUDA_CHECK(cudaStreamSynchronize(compute_.get()));
}

void CudaDevice::gemm(Stream stream, const Gemm& gemm) {
  if (stream != kCompute) throw DeviceError("matrices are multiplied on the compute stream only");
  loadGemm(gemm);
  // Writing the bias first and adding the product to it moves as many bytes as adding the bias afterwards, and rounds
  // once, unless c is added too.
  const Launch bias = gemm.bias ? biasLaunch(gemm) : Launch();
  perform([this, gemm, bias] {
    if (bias) bias(compute_.get());
    cublas_.multiply(gemm, gemm.accumulate || gemm.bias);
  });
}

void CudaDevice::attend(Stream stream, const Attend& attend) {
  if (stream == kHost) {
    perform([this, attend] {
      host_.enqueue([attend, pool = &hostPool_](const Cancelled&) { attendOnHost(attend, *pool); });
    });
    return;
  }
  // All share the memory for partial results.
  if (stream != kCompute) throw DeviceError("the device attends on the compute stream only");
  enqueue(stream, attendLaunch(attend, {static_cast<float*>(partials_.get()), kPartialsBytes / sizeof(float),
                                        multiprocessors_}));
}

void CudaDevice::record(Stream stream, uint32_t event, bool crosses) {
  perform([this, stream, event, crosses] { events_.record(stream, event, crosses); });
}

void CudaDevice::wait(Stream stream, uint32_t event) {
  perform([this, stream, event] { events_.wait(stream, event); });
}

void CudaDevice::branchOff() {
  CUDA_CHECK(cudaEventRecord(branch_.get(), compute_.get()));
  for (cudaStream_t stream : {h2d_.get(), d2h_.get()}) CUDA_CHECK(cudaStreamWaitEvent(stream, branch_.get(), 0));
}

void CudaDevice::joinIn() {
  for (cudaStream_t stream : {h2d_.get(), d2h_.get()}) {
    CUDA_CHECK(cudaEventRecord(join_.get(), stream));
    CUDA_CHECK(cudaStreamWaitEvent(compute_.get(), join_.get(), 0));
  }
}

void CudaDevice::enqueueHeld(const std::vector<std::function<void()>>& held, uint32_t round) {
  closed_ = true;
  awaitLaunch(words_.onDevice(kGate), round, kGateSeconds, nullptr)(compute_.get());
  events_.beginEra(false);
  signals_.signal(compute_.get(), words_.onDevice(kOpened), round);
  branchOff();
  for (const auto& command : held) command();
  if (closed_) openNow(round);
}

void CudaDevice::launchHeld(const std::vector<std::function<void()>>& held, uint32_t round) {
  joinIn();
  graph_ = captured(compute_.get(), [&] {
    events_.beginEra(true);
    signals_.signal(compute_.get(), words_.onDevice(kOpened), round);
    branchOff();
    for (const auto& command : held) command();
    joinIn();
  });
  CUDA_CHECK(cudaGraphLaunch(graph_.get(), compute_.get()));
  events_.endCapture();
  awaitOpening(round);
}

void CudaDevice::openNow(uint32_t round) {
  words_.store(kGate, round);
  closed_ = false;
  awaitOpening(round);
}

void CudaDevice::awaitOpening(uint32_t round) {
  const Clock::time_point begin = enqueued_ = Clock::now();
  Clock::time_point look = begin;
  while (!hasReached(words_.load(kOpened), round) && !cancelled_) {
    pauseBriefly();
    const Clock::time_point now = Clock::now();
    if (now < look + std::chrono::milliseconds(1)) continue;
    look = now;
    const cudaError_t status = cudaStreamQuery(compute_.get());
    if (status == cudaErrorNotReady)
      cudaGetLastError();
    else
      checkCuda(status, "the device's work");
    if (now > begin + std::chrono::duration<double>(kOpeningSeconds))
      throw DeviceError("the GPU has not begun what it was given for " + std::to_string(int(kOpeningSeconds)) +
                        " s; is it busy with something else?");
  }
  events_.eraBegan(Clock::now());
}

double CudaDevice::openGate() {
  if (!std::exchange(holding_, false)) return 0;
  const Clock::time_point begin = enqueued_ = Clock::now();
  const std::vector<std::function<void()>> held = std::exchange(held_, {});
  if (cancelled_) return 0;
  const uint32_t round = ++rounds_;
  try {
    host_.enqueue(
        [words = &words_, round](const Cancelled& cancelled) { awaitOnHost(*words, kOpened, round, cancelled); });
    if (options_.graph)
      launchHeld(held, round);
    else
      enqueueHeld(held, round);
  } catch (...) {
    cancel();
    throw;
  }
  return std::chrono::duration<double>(enqueued_ - begin).count();
}

bool CudaDevice::drained(double seconds) {
  if (holding_ && !cancelled_) openGate();
  constexpr double kLongest = 1e8;
  const auto deadline = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                           std::chrono::duration<double>(std::clamp(seconds, 0.0, kLongest)));
  for (cudaStream_t stream : {h2d_.get(), d2h_.get(), compute_.get()}) {
    cudaError_t status;
    while ((status = cudaStreamQuery(stream)) == cudaErrorNotReady) {
      cudaGetLastError();
      if (Clock::now() >= deadline) return false;
      std::this_thread::sleep_for(kPoll);
    }
    if (status != cudaSuccess) {
      cancel();
      host_.idle(Clock::time_point::max());
      checkCuda(status, "the device's work");
    }
  }
  if (!host_.idle(deadline)) return false;
  finish();
  return true;
}

// All streams are empty: ready for more. Throws what has gone wrong.
void CudaDevice::finish() {
  holding_ = closed_ = false;
  held_.clear();
  graph_.reset();
  const bool wasCancelled = cancelled_.exchange(false);
  const bool expired = words_.load(kExpired);
  words_.store(kExpired, 0);
  try {
    host_.settle();
  } catch (const std::exception& error) {
    throw DeviceError(error.what());
  }
  if (expired && !wasCancelled)
    throw DeviceError("a stream of the GPU has waited for the host's work for more than a minute");
}

void CudaDevice::cancel() {
  cancelled_ = true;
  host_.cancel();
  words_.store(kGate, rounds_);
  events_.raiseAll();
}

}  // namespace

std::unique_ptr<Device> openCudaDevice(const CudaOptions& options) {
  CUDA_CHECK(cudaSetDevice(firstGpu()));
  return std::make_unique<CudaDevice>(options);
}

}  // namespace splitpoint
