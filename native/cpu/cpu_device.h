#pragma once

#include <array>
#include <memory>

#include "core/device.h"
#include "cpu/blas.h"
#include "cpu/cpu_stream.h"
#include "cpu/signal.h"
#include "cpu/thread_pool.h"

namespace splitpoint {

struct CpuOptions {
  // Of each direction of the link; 0: as fast as memory allows.
  double linkBytesPerSecond = 0;
  // Threads of the host's attention; 0: the cores but one, at least 1.
  uint32_t hostThreads = 0;
};

// Ordinary memory for every pool and a thread for every stream. The device's side multiplies and attends on one thread.
class CpuDevice : public Device {
 public:
  // Throws DeviceError where the environment asks for a BLAS that cannot be loaded, or where the link's rate means
  // nothing.
  explicit CpuDevice(CpuOptions options);
  ~CpuDevice() override;

  DeviceInfo info() override;

  void* allocate(Pool pool, uint64_t bytes) override;
  void free(Pool pool, void* memory) override;

  void fill(Pool pool, const Fill& fill) override;
  void setBytes(Pool pool, void* target, uint8_t value, uint64_t bytes) override;
  void read(Pool pool, const void* source, void* target, uint64_t bytes) override;
  void write(Pool pool, const void* source, void* target, uint64_t bytes) override;

  void copy(Stream stream, const Copy& copy) override;
  void capture(Stream stream, const Copy& copy) override;
  void embed(Stream stream, const Embed& embed) override;
  void norm(Stream stream, const Norm& norm) override;
  void rope(Stream stream, const Rope& rope) override;
  void activate(Stream stream, const Activate& activate) override;
  void gemm(Stream stream, const Gemm& gemm) override;
  void attend(Stream stream, const Attend& attend) override;
  void merge(Stream stream, const Merge& merge) override;
  void append(Stream stream, const Append& append) override;

  uint32_t gateLimit() override;
  void resetEvents(uint32_t count) override;
  void record(Stream stream, uint32_t event, bool crosses) override;
  void wait(Stream stream, uint32_t event) override;
  bool reached(uint32_t event) override;
  double secondsBetween(uint32_t from, uint32_t to) override;

  void closeGate() override;
  double openGate() override;
  bool drained(double seconds) override;
  void cancel() override;

 private:
  struct Event {
    Signal reached;  // 1 when it is
    Clock::time_point time;
  };

  const CpuOptions options_;
  const Blas blas_;
  ThreadPool hostPool_;
  ThreadPool computePool_{1};
  std::unique_ptr<Event[]> events_;
  uint32_t eventRoom_ = 0;
  // Odd while the gate is closed.
  Signal gate_;
  std::array<std::unique_ptr<CpuStream>, kStreams> streams_;
};

}  // namespace splitpoint
