#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "core/executor.h"
#include "core/operand.h"
#include "core/waits.h"

namespace splitpoint {

// An operand to keep, and the memory to keep it in.
struct Keep {
  uint32_t operation;
  Operand source;
  void* target;
};

// One run of a sound plan over memory of a device: gate by gate, each enqueued while the streams are held back.
class Run {
 public:
  Run(Device& device, const Plan& plan, std::span<const uintptr_t> memory, const std::vector<Keep>& keeps,
      const ExecuteOptions& options);

  // The streams are empty when this returns or throws.
  Execution run();

 private:
  // Events of a gate: its opening, then those of its operations.
  struct Events {
    bool hasOwnStart;
    uint32_t start;
    uint32_t end;
    // When others may go on: the end, or where operands have been kept.
    uint32_t released;
  };
  static constexpr uint32_t kOpening = 0;

  void runGate(uint32_t begin, uint32_t end);
  void numberEvents();
  void enqueueGate();
  void enqueueOperation(uint32_t operation);
  void waitUntilDrained();
  void noteTimes();
  void reportProgress();
  void abandon() noexcept;
  bool cancelled() const { return options_.cancel && options_.cancel->load(std::memory_order_relaxed); }
  Stream streamOf(uint32_t operation) const { return Stream(plan_.stream[operation]); }

  Device& device_;
  const Plan& plan_;
  const std::span<const uintptr_t> memory_;
  const ExecuteOptions& options_;
  const Waits waits_;
  // Sorted by operation.
  std::vector<Keep> keeps_;
  Execution result_;

  // Of the gate that runs: its operations from begin to end, their events, and how far each stream was last seen.
  uint32_t begin_ = 0;
  uint32_t end_ = 0;
  uint32_t eventCount_ = 0;
  std::vector<Events> events_;
  std::array<uint32_t, kStreams> seen_{};
  uint32_t done_ = 0;
  // Seconds of the gates before.
  double elapsed_ = 0;
};

}  // namespace splitpoint
