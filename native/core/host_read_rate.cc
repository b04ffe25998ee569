#include "core/host_read_rate.h"

#include <algorithm>
#include <atomic>
#include <barrier>
#include <chrono>
#include <thread>
#include <vector>

namespace splitpoint {

namespace {

constexpr int kPasses = 5;

// Eight sums at once, so that no addition waits for the one before.
uint64_t sumOf(const uint64_t* words, size_t count) {
  uint64_t sums[8] = {};
  for (size_t i = 0; i + 8 <= count; i += 8) {
    for (int lane = 0; lane < 8; ++lane) sums[lane] += words[i + lane];
  }
  uint64_t sum = 0;
  for (uint64_t lane : sums) sum += lane;
  return sum;
}

}  // namespace

double hostReadRate(uint64_t bytes, uint32_t threads) {
  threads = std::max<uint32_t>(threads, 1);
  const size_t share = std::max<size_t>(bytes / sizeof(uint64_t) / threads / 8 * 8, 8);
  std::vector<std::vector<uint64_t>> parts(threads);
  // Keeps the compiler from leaving the sums out.
  std::atomic<uint64_t> total{0};
  using Clock = std::chrono::steady_clock;
  double best = 0;
  Clock::time_point start;
  int pass = -1;
  // All threads begin a pass together; the last to arrive takes the time. The first pass touches the memory.
  auto arrived = [&]() noexcept {
    const Clock::time_point now = Clock::now();
    if (pass > 0) {
      const double seconds = std::max(std::chrono::duration<double>(now - start).count(), 1e-9);
      best = std::max(best, double(share * threads * sizeof(uint64_t)) / seconds);
    }
    ++pass;
    start = Clock::now();
  };
  for (std::vector<uint64_t>& part : parts) part.reserve(share);
  std::barrier together(threads, arrived);
  std::vector<std::jthread> readers;
  for (std::vector<uint64_t>& part : parts) {
    readers.emplace_back([&] {
      part.assign(share, 1);
      for (int i = 0; i < kPasses + 2; ++i) {
        together.arrive_and_wait();
        if (i <= kPasses) total += sumOf(part.data(), part.size());
      }
    });
  }
  readers.clear();
  return total > 0 ? best : 0;
}

}  // namespace splitpoint
