#include "cuda/event_table.h"

#include <algorithm>
#include <string>
#include <thread>

namespace splitpoint {
namespace {

using Cancelled = std::atomic<bool>;

// More than are drawn between two resets, so that words can be raised beyond all of them.
constexpr uint32_t kTicketsAhead = 1 << 20;

}  // namespace

EventTable::EventTable(const std::array<cudaStream_t, kDeviceStreams>& streams, CpuStream& host,
                       const StreamSignals& signals, uint32_t* expired)
    : streams_(streams), host_(host), signals_(signals), expired_(expired) {
  reset(1);
}

void EventTable::reset(uint32_t count) {
  if (raised_.exchange(false)) tickets_ += 2 * kTicketsAhead;
  capturing_ = false;
  if (count > events_.size()) {
    // Rarely: growing means to wait for the device.
    const size_t room = std::max<size_t>(count, events_.size() * 2);
    words_ = std::make_unique<MappedWords>(room);
    for (size_t i = 0; i < room; ++i) words_->store(i, tickets_);
    hostTimes_ = std::make_unique<std::atomic<Clock::rep>[]>(room);
    while (events_.size() < room) events_.emplace_back().time = makeEvent(cudaEventDefault);
  }
  for (uint32_t i = 0; i < count; ++i) {
    events_[i].recorded = false;
    hostTimes_[i] = 0;
  }
  hostFollows_.fill(kNone);
  // What is recorded next need not be in a graph.
  if (eras_.empty() || eras_.back().captured) {
    beginEra(false);
    CUDA_CHECK(cudaStreamSynchronize(streams_[kCompute]));
    eraBegan(Clock::now());
  }
  eras_.erase(eras_.begin(), eras_.end() - 1);
}

void EventTable::beginEra(bool captured) {
  Era era{makeEvent(cudaEventDefault), {}, eras_.empty() ? 0 : eras_.back().number + 1, captured, nullptr};
  CUDA_CHECK(cudaEventRecordWithFlags(era.begin.get(), streams_[kCompute],
                                      captured ? cudaEventRecordExternal : cudaEventRecordDefault));
  eras_.push_back(std::move(era));
  capturing_ = captured;
}

void EventTable::endCapture() {
  capturing_ = false;
  EventHandle end = makeEvent(cudaEventDisableTiming);
  CUDA_CHECK(cudaEventRecord(end.get(), streams_[kCompute]));
  for (cudaStream_t stream : streams_)
    if (stream != streams_[kCompute]) CUDA_CHECK(cudaStreamWaitEvent(stream, end.get(), 0));
  eras_.back().end = std::move(end);
}

const EventTable::Era& EventTable::eraOf(const Event& event) const { return eras_[event.era - eras_.front().number]; }

void EventTable::record(Stream stream, uint32_t index, bool crosses) {
  Event& event = events_[index];
  event.stream = stream;
  event.recorded = true;
  event.crosses = crosses;
  event.era = eras_.back().number;
  event.ticket = ++tickets_;
  if (stream == kHost) {
    event.follows = hostFollows_;
    host_.enqueue([time = &hostTimes_[index], words = words_.get(), index, ticket = event.ticket](const Cancelled&) {
      time->store(Clock::now().time_since_epoch().count(), std::memory_order_release);
      words->store(index, ticket);
    });
    return;
  }
  const cudaStream_t on = streams_[stream];
  CUDA_CHECK(
      cudaEventRecordWithFlags(event.time.get(), on, capturing_ ? cudaEventRecordExternal : cudaEventRecordDefault));
  if (crosses) signals_.signal(on, wordOf(index), event.ticket);
  if (crosses || capturing_) {
    if (!event.order) event.order = makeEvent(cudaEventDisableTiming);
    CUDA_CHECK(cudaEventRecord(event.order.get(), on));
  }
}

void EventTable::waitOnDevice(cudaStream_t stream, const Event& event) {
  const Era& era = eraOf(event);
  // A graph comes after all that was enqueued before it and before all that is enqueued after it; CUDA takes no events
  // across its border.
  if ((era.captured || capturing_) && !(capturing_ && event.era == eras_.back().number)) return;
  CUDA_CHECK(cudaStreamWaitEvent(stream, event.crosses || capturing_ ? event.order.get() : event.time.get(), 0));
}

void EventTable::wait(Stream stream, uint32_t index) {
  const Event& event = events_[index];
  if (!event.recorded)
    throw DeviceError("a stream is to wait for event " + std::to_string(index) + ", which was not recorded");
  if (event.stream == stream) return;
  if (stream != kHost && event.stream != kHost) return waitOnDevice(streams_[stream], event);
  if (!event.crosses)
    throw DeviceError("event " + std::to_string(index) + " was not recorded to be waited for by the other side");
  if (stream == kHost) {
    hostFollows_[event.stream] = index;
    host_.enqueue([words = words_.get(), index, ticket = event.ticket](const Cancelled& cancelled) {
      awaitOnHost(*words, index, ticket, cancelled);
    });
    return;
  }
  // First for what the host itself waited for, so that the wait begins only once nothing on the device is in its way:
  // were it to take the place of work that the host needs first, both would wait for ever.
  for (uint32_t follows : event.follows)
    if (follows != kNone && events_[follows].stream != stream) waitOnDevice(streams_[stream], events_[follows]);
  signals_.await(streams_[stream], wordOf(index), event.ticket, expired_);
}

bool EventTable::reached(uint32_t index) const {
  const Event& event = events_[index];
  if (!event.recorded) return false;
  if (event.stream == kHost) return hostTimes_[index].load(std::memory_order_acquire) != 0;
  // What CUDA says of an event in a graph before its turn comes is that of its last time.
  const Era& era = eraOf(event);
  if (era.captured && !era.end) return false;
  const cudaError_t status = cudaEventQuery(era.captured ? era.end.get() : event.time.get());
  if (status == cudaErrorNotReady) {
    cudaGetLastError();
    return false;
  }
  checkCuda(status, "cudaEventQuery");
  return true;
}

Clock::time_point EventTable::hostTime(uint32_t index) const {
  const Event& event = events_[index];
  if (event.stream == kHost)
    return Clock::time_point(Clock::duration(hostTimes_[index].load(std::memory_order_acquire)));
  const Era& era = eraOf(event);
  float milliseconds;
  CUDA_CHECK(cudaEventElapsedTime(&milliseconds, era.begin.get(), event.time.get()));
  return era.hostBegin +
         std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double, std::milli>(milliseconds));
}

double EventTable::secondsBetween(uint32_t from, uint32_t to) const {
  if (events_[from].stream == kHost || events_[to].stream == kHost)
    return std::chrono::duration<double>(hostTime(to) - hostTime(from)).count();
  float milliseconds;
  CUDA_CHECK(cudaEventElapsedTime(&milliseconds, events_[from].time.get(), events_[to].time.get()));
  return milliseconds / 1e3;
}

void EventTable::raiseAll() {
  raised_ = true;
  const uint32_t raised = tickets_ + kTicketsAhead;
  for (size_t i = 0; i < words_->count(); ++i) words_->store(i, raised);
}

void awaitOnHost(const MappedWords& words, size_t word, uint32_t value, const Cancelled& cancelled) {
  // The host's work is to begin at once, so its thread spins; now and then it lets others run who may have to come
  // first.
  for (uint32_t turn = 1; !hasReached(words.load(word), value) && !cancelled.load(std::memory_order_relaxed); ++turn) {
    pauseBriefly();
    if (turn % 1024 == 0) std::this_thread::yield();
  }
}

}  // namespace splitpoint
