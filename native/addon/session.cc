#include "addon/session.h"

#include "addon/devices.h"
#include "addon/errors.h"
#include "addon/plan_columns.h"
#include "addon/values.h"
#include "core/check.h"
#include "core/text.h"

namespace splitpoint::addon {

namespace {

Type typeAt(Napi::Object fill, const char* name, const std::string& path) {
  constexpr const char* names[kTypes] = {"fp32", "fp16", "bf16"};
  const std::string found = stringAt(fill, name, path);
  for (int type = 0; type < kTypes; ++type) {
    if (found == names[type]) return Type(type);
  }
  throwExpected(fill.Get(name), path + "." + name, "\"fp32\", \"fp16\" or \"bf16\"");
}

float floatAt(Napi::Object fill, const char* name, const std::string& path) {
  const double value = numberAt(fill, name, path);
  if (!(value >= -3e38 && value <= 3e38)) throwExpected(fill.Get(name), path + "." + name, "a number that fp32 holds");
  return float(value);
}

// A plan that is executed must be of the buffers that were opened.
void expectBuffers(const std::vector<BufferSpec>& opened, const std::vector<BufferSpec>& found) {
  if (opened.size() != found.size()) {
    throw PlanError(text("the plan has ", found.size(), " buffers, the session was opened with ", opened.size()));
  }
  for (size_t i = 0; i < opened.size(); ++i) {
    if (opened[i].pool == found[i].pool && opened[i].bytes == found[i].bytes) continue;
    throw PlanError(text("buffer ", found[i].name, " is not what the session was opened with"));
  }
}

uint64_t totalBytes(const std::vector<BufferSpec>& buffers) {
  uint64_t bytes = 0;
  for (const BufferSpec& buffer : buffers) bytes += buffer.bytes;
  return bytes;
}

// Adds a function to an object; what it throws of C++ becomes JavaScript's.
template <class Body>
void addFunction(Napi::Object object, const char* name, Body body) {
  auto function = [body](const Napi::CallbackInfo& info) -> Napi::Value {
    return guarded(info.Env(), [&]() -> Napi::Value {
      if constexpr (std::is_void_v<decltype(body(info))>) {
        body(info);
        return info.Env().Undefined();
      } else {
        return body(info);
      }
    });
  };
  object.Set(name, Napi::Function::New(object.Env(), function, name));
}

}  // namespace

Napi::Object Session::open(Napi::Env env, Napi::Value planValue, Napi::Value options) {
  const PlanColumns columns = planColumns(planValue);
  checkPlan(columns.plan, columns.buffers);
  const std::string backend = stringAt(asObject(options, "options"), "backend", "options");
  auto executor = std::make_shared<Executor>(openDevice(backend, options), columns.buffers);
  const std::shared_ptr<Session> session(new Session(executor));

  const Napi::Object object = Napi::Object::New(env);
  object.Set("info", infoObject(env, executor->device().info()));
  addFunction(object, "fill", [session](const Napi::CallbackInfo& info) { session->fill(info); });
  addFunction(object, "poison", [session](const Napi::CallbackInfo& info) { session->poison(info); });
  addFunction(object, "read", [session](const Napi::CallbackInfo& info) { return session->read(info); });
  addFunction(object, "write", [session](const Napi::CallbackInfo& info) { session->write(info); });
  addFunction(object, "execute", [session](const Napi::CallbackInfo& info) { return session->execute(info); });
  addFunction(object, "cancel", [session](const Napi::CallbackInfo&) { session->cancel(); });
  addFunction(object, "close", [session](const Napi::CallbackInfo&) { session->close(); });

  // Tells the garbage collector what forgetting the session would free.
  const int64_t bytes = int64_t(totalBytes(columns.buffers));
  Napi::MemoryManagement::AdjustExternalMemory(env, bytes);
  object.AddFinalizer([bytes](Napi::Env env, Session*) { Napi::MemoryManagement::AdjustExternalMemory(env, -bytes); },
                      session.get());
  return object;
}

Executor& Session::idle(Napi::Env env) {
  if (!executor_) throw Napi::Error::New(env, "the session is closed");
  if (running_) throw Napi::Error::New(env, "the session is executing a plan");
  return *executor_;
}

void Session::fill(const Napi::CallbackInfo& info) {
  const std::string path = "fill";
  const Napi::Object fill = asObject(info[0], path);
  const uint32_t buffer = uint32_t(wholeAt(fill, "buffer", path, UINT32_MAX));
  const uint64_t offset = wholeAt(fill, "offsetBytes", path), count = wholeAt(fill, "count", path);
  const Type type = typeAt(fill, "type", path);
  const uint64_t seed = wholeAt(fill, "seed", path), firstIndex = wholeAt(fill, "firstIndex", path);
  const float scale = floatAt(fill, "scale", path), shift = floatAt(fill, "shift", path);
  idle(info.Env()).fill(buffer, offset, count, type, seed, firstIndex, scale, shift);
}

void Session::poison(const Napi::CallbackInfo& info) {
  const uint32_t buffer = uint32_t(asWhole(info[0], "buffer", UINT32_MAX));
  const uint64_t offset = asWhole(info[1], "offsetBytes"), bytes = asWhole(info[2], "bytes");
  idle(info.Env()).poison(buffer, offset, bytes);
}

Napi::Value Session::read(const Napi::CallbackInfo& info) {
  const uint32_t buffer = uint32_t(asWhole(info[0], "buffer", UINT32_MAX));
  const uint64_t offset = asWhole(info[1], "offsetBytes"), bytes = asWhole(info[2], "bytes");
  idle(info.Env()).checkRange(buffer, offset, bytes);
  Napi::Uint8Array target = newBytes(info.Env(), bytes);
  idle(info.Env()).read(buffer, offset, bytes, target.Data());
  return target;
}

void Session::write(const Napi::CallbackInfo& info) {
  const uint32_t buffer = uint32_t(asWhole(info[0], "buffer", UINT32_MAX));
  const uint64_t offset = asWhole(info[1], "offsetBytes");
  if (!info[2].IsTypedArray() || info[2].As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array) {
    throwExpected(info[2], "data", "a Uint8Array");
  }
  const Napi::Uint8Array data = info[2].As<Napi::Uint8Array>();
  idle(info.Env()).write(buffer, offset, data.ByteLength(), data.Data());
}

Napi::Value Session::execute(const Napi::CallbackInfo& info) {
  try {
    startExecution(info);
    return running_->promise();
  } catch (...) {
    const Napi::Promise::Deferred deferred = Napi::Promise::Deferred::New(info.Env());
    deferred.Reject(errorOf(info.Env(), std::current_exception()));
    return deferred.Promise();
  }
}

void Session::startExecution(const Napi::CallbackInfo& info) {
  // In this order: getters of the options may change the plan's arrays, and those of either may start an execution.
  const AskedExecution asked = askedExecution(info[1]);
  const PlanColumns columns = planColumns(info[0]);
  expectBuffers(idle(info.Env()).buffers(), columns.buffers);
  auto onEnd = [session = shared_from_this()] { session->running_.reset(); };
  running_ = RunningExecution::start(info.Env(), executor_, columns, asked, onEnd);
}

void Session::cancel() {
  if (running_) running_->cancel();
}

void Session::close() {
  if (running_) running_->stop();
  executor_.reset();
}

}  // namespace splitpoint::addon
