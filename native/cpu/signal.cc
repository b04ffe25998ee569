#include "cpu/signal.h"

#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <climits>

namespace splitpoint {
namespace {

using std::chrono::nanoseconds;

constexpr nanoseconds kSpin{25'000};
// How long a sleeper may miss that it shall stop.
constexpr nanoseconds kNap{20'000'000};

void futexWait(const std::atomic<uint32_t>& word, uint32_t old, nanoseconds duration) {
  timespec time{duration.count() / 1'000'000'000, duration.count() % 1'000'000'000};
  syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, old, &time, nullptr, 0);
}

void futexWakeAll(const std::atomic<uint32_t>& word) {
  syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, INT_MAX, nullptr, nullptr, 0);
}

}  // namespace

void Signal::set(uint32_t value) {
  // Sequentially consistent: either this sees the sleeper, or the sleeper sees the value.
  value_.store(value);
  if (sleepers_.load()) futexWakeAll(value_);
}

bool Signal::awaitChange(uint32_t old, const std::atomic<bool>* stop, Clock::time_point deadline) {
  auto changed = [&] { return value() != old; };
  auto stopped = [&] { return stop && stop->load(std::memory_order_relaxed); };
  Clock::time_point spinEnd = std::min(Clock::now() + kSpin, deadline);
  do {
    for (int i = 0; i < 32; ++i) {
      if (changed()) return true;
      pauseBriefly();
    }
    // The thread that is waited for may need this core.
    sched_yield();
  } while (Clock::now() < spinEnd && !stopped());

  sleepers_.fetch_add(1);
  while (!changed() && !stopped()) {
    nanoseconds left = deadline - Clock::now();
    if (left.count() <= 0) break;
    futexWait(value_, old, std::min(left, kNap));
  }
  sleepers_.fetch_sub(1);
  return changed();
}

}  // namespace splitpoint
