#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

namespace splitpoint {

using Clock = std::chrono::steady_clock;

// Lets a thread of a busy-waiting loop give way to its sibling.
inline void pauseBriefly() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// A number that one thread sets and others wait for. Waiting spins for some microseconds, because work that others
// finish soon is the rule and waking a thread costs more, then sleeps.
class Signal {
 public:
  uint32_t value() const { return value_.load(std::memory_order_acquire); }
  void set(uint32_t value);
  // Returns when the value is not `old` any more: true; or, soon after `stop` is set or the deadline has passed: false.
  bool awaitChange(uint32_t old, const std::atomic<bool>* stop = nullptr,
                   Clock::time_point deadline = Clock::time_point::max());

 private:
  std::atomic<uint32_t> value_{0};
  std::atomic<uint32_t> sleepers_{0};
};

}  // namespace splitpoint
