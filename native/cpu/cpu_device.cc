#include "cpu/cpu_device.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <fstream>
#include <string>

#include "cpu/attend.h"
#include "cpu/gemm.h"
#include "cpu/kernels.h"
#include "cpu/memory.h"
#include "cpu/paced_copy.h"

namespace splitpoint {
namespace {

constexpr std::chrono::seconds kGateLimit{5};

using Cancelled = std::atomic<bool>;

CpuOptions checked(CpuOptions options) {
  if (!(options.linkBytesPerSecond >= 0) || std::isinf(options.linkBytesPerSecond))
    throw DeviceError("the link's rate is " + std::to_string(options.linkBytesPerSecond) +
                      " bytes per second, expected a positive number, or 0 for unpaced");
  if (options.hostThreads == 0) options.hostThreads = std::max(usableCores(), 2u) - 1;
  return options;
}

std::string processorName() {
  std::ifstream file("/proc/cpuinfo");
  std::string line;
  while (std::getline(file, line)) {
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  }
  return "unnamed processor";
}

}  // namespace

CpuDevice::CpuDevice(CpuOptions options) : options_(checked(options)), hostPool_(options_.hostThreads) {
  // What waits for work that failed would wait forever.
  for (auto& stream : streams_) stream = std::make_unique<CpuStream>([this] { cancel(); });
}

CpuDevice::~CpuDevice() {
  cancel();
  // A stream whose last command fails now still cancels the others.
  for (auto& stream : streams_) stream->idle(Clock::time_point::max());
}

DeviceInfo CpuDevice::info() {
  DeviceInfo info;
  info.backend = "cpu";
  info.name = processorName();
  info.blas = blas_.name();
  info.gpuBytes = info.hostBytes = totalMemoryBytes();
  info.gpuFreeBytes = info.hostFreeBytes = availableMemoryBytes();
  info.hostThreads = options_.hostThreads;
  return info;
}

void* CpuDevice::allocate(Pool pool, uint64_t bytes) { return allocateTouched(pool, bytes); }
void CpuDevice::free(Pool, void* memory) { std::free(memory); }

void CpuDevice::fill(Pool, const Fill& fill) { splitpoint::fill(fill); }
void CpuDevice::setBytes(Pool, void* target, uint8_t value, uint64_t bytes) { std::memset(target, value, bytes); }
void CpuDevice::read(Pool, const void* source, void* target, uint64_t bytes) { std::memcpy(target, source, bytes); }
void CpuDevice::write(Pool, const void* source, void* target, uint64_t bytes) { std::memcpy(target, source, bytes); }

void CpuDevice::copy(Stream stream, const Copy& copy) {
  streams_[stream]->enqueue(
      [copy, rate = options_.linkBytesPerSecond](const Cancelled& cancelled) { pacedCopy(copy, rate, cancelled); });
}

void CpuDevice::capture(Stream stream, const Copy& copy) {
  streams_[stream]->enqueue([copy](const Cancelled& cancelled) { pacedCopy(copy, 0, cancelled); });
}

void CpuDevice::embed(Stream stream, const Embed& embed) {
  streams_[stream]->enqueue([embed](const Cancelled&) { splitpoint::embed(embed); });
}

void CpuDevice::norm(Stream stream, const Norm& norm) {
  streams_[stream]->enqueue([norm](const Cancelled&) { splitpoint::norm(norm); });
}

void CpuDevice::rope(Stream stream, const Rope& rope) {
  streams_[stream]->enqueue([rope](const Cancelled&) { splitpoint::rope(rope); });
}

void CpuDevice::activate(Stream stream, const Activate& activate) {
  streams_[stream]->enqueue([activate](const Cancelled&) { splitpoint::activate(activate); });
}

void CpuDevice::gemm(Stream stream, const Gemm& gemm) {
  streams_[stream]->enqueue([gemm, blas = &blas_](const Cancelled&) { multiply(gemm, *blas); });
}

void CpuDevice::attend(Stream stream, const Attend& attend) {
  ThreadPool* pool = stream == kHost ? &hostPool_ : &computePool_;
  streams_[stream]->enqueue([attend, pool](const Cancelled&) { attendOnHost(attend, *pool); });
}

void CpuDevice::merge(Stream stream, const Merge& merge) {
  streams_[stream]->enqueue([merge](const Cancelled&) { splitpoint::merge(merge); });
}

void CpuDevice::append(Stream stream, const Append& append) {
  streams_[stream]->enqueue([append](const Cancelled&) { splitpoint::append(append); });
}

uint32_t CpuDevice::gateLimit() { return 1'000'000; }

void CpuDevice::resetEvents(uint32_t count) {
  if (count > eventRoom_) {
    events_ = std::make_unique<Event[]>(count);
    eventRoom_ = count;
  }
  for (uint32_t i = 0; i < count; ++i) events_[i].reached.set(0);
}

void CpuDevice::record(Stream stream, uint32_t event, bool) {
  streams_[stream]->enqueue([event = &events_[event]](const Cancelled&) {
    event->time = Clock::now();
    event->reached.set(1);
  });
}

void CpuDevice::wait(Stream stream, uint32_t event) {
  streams_[stream]->enqueue(
      [event = &events_[event]](const Cancelled& cancelled) { event->reached.awaitChange(0, &cancelled); });
}

bool CpuDevice::reached(uint32_t event) { return events_[event].reached.value() == 1; }

double CpuDevice::secondsBetween(uint32_t from, uint32_t to) {
  return std::chrono::duration<double>(events_[to].time - events_[from].time).count();
}

void CpuDevice::closeGate() {
  const uint32_t closed = gate_.value() | 1;
  gate_.set(closed);
  for (auto& stream : streams_) {
    stream->enqueue([gate = &gate_, closed, limit = Clock::now() + kGateLimit](const Cancelled& cancelled) {
      gate->awaitChange(closed, &cancelled, limit);
    });
  }
}

double CpuDevice::openGate() {
  gate_.set((gate_.value() | 1) + 1);
  return 0;
}

bool CpuDevice::drained(double seconds) {
  constexpr double kLongest = 1e8;
  const auto deadline = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                           std::chrono::duration<double>(std::clamp(seconds, 0.0, kLongest)));
  for (auto& stream : streams_)
    if (!stream->idle(deadline)) return false;
  // Only now, because a failing stream cancels the others.
  std::string fault;
  for (auto& stream : streams_) {
    try {
      stream->settle();
    } catch (const std::exception& error) {
      if (fault.empty()) fault = error.what();
    }
  }
  if (!fault.empty()) throw DeviceError(fault);
  return true;
}

void CpuDevice::cancel() {
  for (auto& stream : streams_) stream->cancel();
  openGate();
}

}  // namespace splitpoint
