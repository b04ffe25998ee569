#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/device.h"
#include "core/plan.h"

namespace splitpoint {

// Bytes to keep a copy of right after an operation, in the operation's own stream, so that a check can look at what is
// overwritten later.
struct Capture {
  uint32_t operation;
  uint32_t operand;  // index among the operation's operands
};

struct Execution {
  // Seconds from the opening of the first gate; a gate's operations follow the end of the gate before without a gap.
  std::vector<double> startSeconds;
  std::vector<double> endSeconds;
  // Time the host spent enqueueing, none of it in the times above.
  double enqueueSeconds = 0;
  // How often all streams were held back and emptied: 1 unless the plan is longer than a gate.
  uint32_t gates = 0;
  bool cancelled = false;
  std::vector<std::vector<uint8_t>> captures;
};

struct ExecuteOptions {
  std::vector<Capture> captures;
  // Called from the executing thread with operations done.
  std::function<void(uint32_t done, uint32_t of)> progress;
  const std::atomic<bool>* cancel = nullptr;
};

// Buffers on a device, and plans executed over them. One execution at a time; sessions do not disturb each other.
class Executor {
 public:
  // Allocates every buffer. Throws OutOfMemory naming the pool and the shortfall; nothing stays allocated then.
  Executor(std::unique_ptr<Device> device, std::vector<BufferSpec> buffers);
  ~Executor();

  Device& device() { return *device_; }
  const std::vector<BufferSpec>& buffers() const { return buffers_; }

  // Throws PlanError where a range is not in its buffer, as do those that work on ranges.
  void checkRange(uint32_t buffer, uint64_t offset, uint64_t bytes) const { rangeOf(buffer, offset, bytes); }
  void fill(uint32_t buffer, uint64_t offset, uint64_t count, Type type, uint64_t seed, uint64_t firstIndex,
            float scale, float shift);
  // NaN in every type.
  void poison(uint32_t buffer, uint64_t offset, uint64_t bytes);
  void read(uint32_t buffer, uint64_t offset, uint64_t bytes, void* target);
  void write(uint32_t buffer, uint64_t offset, uint64_t bytes, const void* source);

  // Runs a plan that `checkPlan` (core/check.h) has nothing against; it is checked again here. Throws PlanError or
  // DeviceError.
  Execution execute(const Plan& plan, const ExecuteOptions& options);

 private:
  char* rangeOf(uint32_t buffer, uint64_t offset, uint64_t bytes) const;
  void release();

  std::unique_ptr<Device> device_;
  std::vector<BufferSpec> buffers_;
  std::vector<void*> memory_;
};

}  // namespace splitpoint
