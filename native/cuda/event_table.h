#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/device.h"
#include "cpu/cpu_stream.h"
#include "cuda/handles.h"
#include "cuda/mapped_words.h"
#include "cuda/stream_signals.h"

namespace splitpoint {

// Events of three streams of the device and the host's stream. Those that cross between the sides also count up a word
// in host memory, which the other side waits for.
//
// Times on the two sides share a scale through eras: an era begins with an event on the device after which the device
// sets a word; the host reads its clock when it sees the word. A time of the device is therefore late on the host's
// scale by the word's way through the link, some 1 to 3 µs, and by what the clocks drift apart since, some 10 µs per
// second. Times of one side among each other are exact.
class EventTable {
 public:
  static constexpr int kDeviceStreams = 3;

  // `streams` by Stream. Where a kernel has waited too long for the host, `expired` is set.
  EventTable(const std::array<cudaStream_t, kDeviceStreams>& streams, CpuStream& host, const StreamSignals& signals,
             uint32_t* expired);

  // Only while all streams are empty.
  void reset(uint32_t count);

  // An era's first event, on the compute stream; `captured` while the streams are captured into a graph.
  void beginEra(bool captured);
  // The host has seen that the era has begun.
  void eraBegan(Clock::time_point seen) { eras_.back().hostBegin = seen; }
  // The streams are captured no more; on the compute stream the graph was launched.
  void endCapture();

  void record(Stream stream, uint32_t event, bool crosses);
  void wait(Stream stream, uint32_t event);
  bool reached(uint32_t event) const;
  double secondsBetween(uint32_t from, uint32_t to) const;

  // Until the next reset, lets everything through that waits for the other side, or will.
  void raiseAll();

 private:
  static constexpr uint32_t kNone = UINT32_MAX;
  // The last event of each stream of the device that the host's stream has waited for.
  using Follows = std::array<uint32_t, kDeviceStreams>;

  struct Event {
    EventHandle time;
    // What other streams wait for where `time` will not do: in a graph, and for the signal behind it.
    EventHandle order;
    Stream stream;
    bool recorded = false;
    bool crosses;
    uint32_t era;
    uint32_t ticket;  // value of its word
    Follows follows;  // of an event of the host
  };
  struct Era {
    EventHandle begin;
    Clock::time_point hostBegin;
    uint32_t number;
    bool captured;
    EventHandle end;  // of a captured one
  };

  const Era& eraOf(const Event& event) const;
  void waitOnDevice(cudaStream_t stream, const Event& event);
  Clock::time_point hostTime(uint32_t event) const;
  uint32_t* wordOf(uint32_t event) const { return words_->onDevice(event); }

  const std::array<cudaStream_t, kDeviceStreams> streams_;
  CpuStream& host_;
  const StreamSignals& signals_;
  uint32_t* const expired_;
  std::vector<Event> events_;
  std::unique_ptr<MappedWords> words_;
  // When events of the host happened, 0 until then.
  std::unique_ptr<std::atomic<Clock::rep>[]> hostTimes_;
  std::vector<Era> eras_;
  bool capturing_ = false;
  Follows hostFollows_;
  std::atomic<uint32_t> tickets_{0};
  std::atomic<bool> raised_{false};
};

// Returns when the word has reached the value, or soon after the wish to end.
void awaitOnHost(const MappedWords& words, size_t word, uint32_t value, const std::atomic<bool>& cancelled);

}  // namespace splitpoint
