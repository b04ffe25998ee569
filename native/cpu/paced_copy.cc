#include "cpu/paced_copy.h"

#include <time.h>

#include <algorithm>
#include <cstring>

#include "cpu/signal.h"

namespace splitpoint {
namespace {

using std::chrono::nanoseconds;

// Between two looks at the clock.
constexpr uint64_t kChunkBytes = 128 * 1024;
// Sleeping may end this much too late.
constexpr nanoseconds kLateness{80'000};
// How long a sleeper may miss that it was cancelled.
constexpr nanoseconds kNap{20'000'000};

void sleepUntil(Clock::time_point time, const std::atomic<bool>& cancelled) {
  while (!cancelled.load(std::memory_order_relaxed)) {
    Clock::time_point now = Clock::now();
    if (now >= time) return;
    // steady_clock is CLOCK_MONOTONIC.
    nanoseconds wake = std::min(time, now + kNap).time_since_epoch();
    timespec until{wake.count() / 1'000'000'000, wake.count() % 1'000'000'000};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr);
  }
}

// When which byte is due.
class Schedule {
 public:
  Schedule(double bytesPerSecond, const std::atomic<bool>& cancelled)
      : bytesPerSecond_(bytesPerSecond), cancelled_(cancelled) {}

  // Between chunks it is enough not to run far ahead.
  void keepUp(uint64_t bytes) const {
    if (bytesPerSecond_ > 0 && due(bytes) - Clock::now() > 2 * kLateness)
      sleepUntil(due(bytes) - kLateness, cancelled_);
  }
  void finish(uint64_t bytes) const {
    if (bytesPerSecond_ <= 0) return;
    sleepUntil(due(bytes) - kLateness, cancelled_);
    while (Clock::now() < due(bytes) && !cancelled_.load(std::memory_order_relaxed)) pauseBriefly();
  }

 private:
  Clock::time_point due(uint64_t bytes) const {
    return start_ + nanoseconds(int64_t(double(bytes) / bytesPerSecond_ * 1e9));
  }

  const Clock::time_point start_ = Clock::now();
  const double bytesPerSecond_;
  const std::atomic<bool>& cancelled_;
};

}  // namespace

void pacedCopy(const Copy& copy, double bytesPerSecond, const std::atomic<bool>& cancelled) {
  const Schedule schedule(bytesPerSecond, cancelled);
  const bool contiguous = copy.rowBytes == copy.sourceStride && copy.rowBytes == copy.targetStride;
  const uint64_t rows = contiguous ? 1 : copy.rows;
  const uint64_t rowBytes = contiguous ? copy.rowBytes * copy.rows : copy.rowBytes;
  uint64_t done = 0, looked = 0;
  for (uint64_t row = 0; row < rows; ++row) {
    const char* source = static_cast<const char*>(copy.source) + row * copy.sourceStride;
    char* target = static_cast<char*>(copy.target) + row * copy.targetStride;
    for (uint64_t offset = 0; offset < rowBytes; offset += kChunkBytes) {
      const uint64_t bytes = std::min(kChunkBytes, rowBytes - offset);
      std::memcpy(target + offset, source + offset, bytes);
      done += bytes;
      if (done - looked < kChunkBytes) continue;
      looked = done;
      if (cancelled.load(std::memory_order_relaxed)) return;
      schedule.keepUp(done);
    }
  }
  schedule.finish(done);
}

}  // namespace splitpoint
