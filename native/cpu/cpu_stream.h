#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstring>
#include <exception>
#include <functional>
#include <mutex>
#include <new>
#include <thread>
#include <type_traits>
#include <vector>

#include "cpu/signal.h"

namespace splitpoint {

// A thread that runs what is enqueued, in order. After `cancel`, and after a command has thrown, it drops everything
// until `settle`.
class CpuStream {
 public:
  // `onFailure` is called by the stream's thread after a command has thrown, before the stream is idle.
  explicit CpuStream(std::function<void()> onFailure);
  ~CpuStream();
  CpuStream(const CpuStream&) = delete;
  CpuStream& operator=(const CpuStream&) = delete;

  // Calls command(cancelled); one that takes long should look at `cancelled` (const std::atomic<bool>&) every few
  // milliseconds. Commands are kept as bytes, so that enqueueing allocates nothing.
  template <class Command>
  void enqueue(const Command& command) {
    static_assert(std::is_trivially_copyable_v<Command> && std::is_trivially_destructible_v<Command>);
    static_assert(alignof(Command) <= kAlignment);
    push([](void* state,
            const std::atomic<bool>& cancelled) { (*std::launder(static_cast<Command*>(state)))(cancelled); },
         &command, sizeof command);
  }

  void cancel();
  // Whether everything enqueued was run or dropped; waits for that until the deadline.
  bool idle(Clock::time_point deadline);
  // Only while idle: takes commands again; throws what a command has thrown since the last time.
  void settle();

 private:
  using Run = void (*)(void* state, const std::atomic<bool>& cancelled);
  struct Header {
    Run run;
    size_t bytes;  // of the whole record
  };
  static constexpr size_t kAlignment = 16;
  static_assert(sizeof(Header) % kAlignment == 0);

  void push(Run run, const void* state, size_t bytes);
  void work();
  void runAll(std::vector<std::byte>& records);

  const std::function<void()> onFailure_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::byte> queued_;
  bool busy_ = false;
  bool ending_ = false;
  std::exception_ptr failure_;
  std::atomic<bool> cancelled_{false};
  std::thread thread_;
};

}  // namespace splitpoint
