#include "addon/execution.h"

#include <algorithm>
#include <mutex>
#include <set>

#include "addon/errors.h"
#include "addon/values.h"
#include "core/text.h"

namespace splitpoint::addon {

namespace {

// Executions under way in the whole process, so that none goes on while the process takes itself apart: process.exit
// ends no environment.
class Registry {
 public:
  static Registry& instance() {
    static Registry registry;
    return registry;
  }

  void add(RunningExecution* execution) {
    const std::lock_guard lock(mutex_);
    running_.insert(execution);
  }

  void remove(RunningExecution* execution) {
    const std::lock_guard lock(mutex_);
    running_.erase(execution);
  }

  ~Registry() {
    const std::lock_guard lock(mutex_);
    for (RunningExecution* execution : running_) execution->cancel();
    for (RunningExecution* execution : running_) execution->stop();
  }

 private:
  std::mutex mutex_;
  std::set<RunningExecution*> running_;
};

// Messages from an execution's thread.
char kProgress, kFinished;

std::vector<Capture> capturesOf(Napi::Value value) {
  std::vector<Capture> captures;
  if (isNothing(value)) return captures;
  if (!value.IsArray()) throwExpected(value, "options.captures", "an array");
  const Napi::Array array = value.As<Napi::Array>();
  for (uint32_t i = 0; i < array.Length(); ++i) {
    const std::string path = text("options.captures[", i, "]");
    const Napi::Object capture = asObject(array.Get(i), path);
    captures.push_back({uint32_t(wholeAt(capture, "operation", path, UINT32_MAX)),
                        uint32_t(wholeAt(capture, "operand", path, UINT32_MAX))});
  }
  return captures;
}

Napi::Float64Array float64Array(Napi::Env env, const std::vector<double>& values) {
  Napi::Float64Array array = Napi::Float64Array::New(env, values.size());
  std::copy(values.begin(), values.end(), array.Data());
  return array;
}

}  // namespace

AskedExecution askedExecution(Napi::Value value) {
  AskedExecution asked;
  if (isNothing(value)) return asked;
  const Napi::Object options = asObject(value, "options");
  asked.captures = capturesOf(options.Get("captures"));
  const Napi::Value onProgress = options.Get("onProgress");
  if (isNothing(onProgress)) return asked;
  if (!onProgress.IsFunction()) throwExpected(onProgress, "options.onProgress", "a function");
  asked.onProgress = onProgress.As<Napi::Function>();
  return asked;
}

std::shared_ptr<RunningExecution> RunningExecution::start(Napi::Env env, std::shared_ptr<Executor> executor,
                                                          const PlanColumns& columns, const AskedExecution& asked,
                                                          std::function<void()> onEnd) {
  std::shared_ptr<RunningExecution> execution(new RunningExecution(env, std::move(executor), columns, asked));
  execution->onEnd_ = std::move(onEnd);
  execution->launch();
  return execution;
}

RunningExecution::RunningExecution(Napi::Env env, std::shared_ptr<Executor> executor, const PlanColumns& columns,
                                   const AskedExecution& asked)
    : env_(env),
      executor_(std::move(executor)),
      plan_(columns.plan),
      deferred_(Napi::Promise::Deferred::New(env)),
      arrays_(Napi::Persistent(columns.arrays.As<Napi::Object>())) {
  options_.cancel = &cancel_;
  options_.captures = asked.captures;
  if (asked.onProgress.IsEmpty()) return;
  onProgress_ = Napi::Persistent(asked.onProgress);
  options_.progress = [this](uint32_t done, uint32_t of) { noteProgress(done, of); };
}

RunningExecution::~RunningExecution() = default;

void RunningExecution::launch() {
  // Whoever messages come from is kept alive until the last one has been taken.
  auto* self = new std::shared_ptr<RunningExecution>(shared_from_this());
  auto release = [](napi_env, void* self, void*) { delete static_cast<std::shared_ptr<RunningExecution>*>(self); };
  const napi_status status = napi_create_threadsafe_function(
      env_, nullptr, nullptr, Napi::String::New(env_, "splitpoint"), 0, 1, self, release, self, onMessage, &messages_);
  if (status != napi_ok) {
    delete self;
    throw Napi::Error::New(env_);
  }
  // Added after the environment's own hook for the messages, so that it is called before it.
  napi_add_env_cleanup_hook(env_, onEnvironmentEnd, this);
  Registry::instance().add(this);
  try {
    thread_ = std::thread([this] { execute(); });
  } catch (...) {
    leaveEnvironment();
    napi_release_threadsafe_function(messages_, napi_tsfn_release);
    throw;
  }
}

void RunningExecution::execute() {
  try {
    result_ = executor_->execute(plan_, options_);
    if (result_.cancelled) throw Cancelled();
  } catch (...) {
    failure_ = std::current_exception();
  }
  // Does not wait: the queue has no bound.
  napi_call_threadsafe_function(messages_, &kFinished, napi_tsfn_nonblocking);
}

void RunningExecution::noteProgress(uint32_t done, uint32_t) {
  done_ = done;
  if (!progressWaits_.exchange(true)) napi_call_threadsafe_function(messages_, &kProgress, napi_tsfn_nonblocking);
}

void RunningExecution::onMessage(napi_env env, napi_value, void* context, void* message) {
  if (!env) return;  // it is being taken apart
  // By value: what is called may be the last to hold it.
  const std::shared_ptr<RunningExecution> execution = *static_cast<std::shared_ptr<RunningExecution>*>(context);
  try {
    if (message == &kProgress) {
      execution->tellProgress();
    } else {
      execution->finish();
    }
  } catch (const Napi::Error& error) {
    error.ThrowAsJavaScriptException();
  }
}

void RunningExecution::tellProgress() {
  progressWaits_ = false;
  const uint32_t done = done_;
  onProgress_.Value().Call({Napi::Number::New(env_, done), Napi::Number::New(env_, plan_.count)});
}

void RunningExecution::finish() {
  stop();
  leaveEnvironment();
  try {
    if (failure_) std::rethrow_exception(failure_);
    deferred_.Resolve(resultObject());
  } catch (...) {
    deferred_.Reject(errorOf(env_, std::current_exception()));
  }
  // Last: without this function nothing of the environment holds the execution.
  napi_release_threadsafe_function(messages_, napi_tsfn_release);
}

Napi::Object RunningExecution::resultObject() {
  const Napi::Object object = Napi::Object::New(env_);
  object.Set("startSeconds", float64Array(env_, result_.startSeconds));
  object.Set("endSeconds", float64Array(env_, result_.endSeconds));
  object.Set("enqueueSeconds", result_.enqueueSeconds);
  object.Set("gates", result_.gates);
  const Napi::Array captures = Napi::Array::New(env_);
  for (const std::vector<uint8_t>& bytes : result_.captures) {
    Napi::Uint8Array array = newBytes(env_, bytes.size());
    std::copy(bytes.begin(), bytes.end(), array.Data());
    captures.Set(captures.Length(), array);
  }
  object.Set("captures", captures);
  return object;
}

void RunningExecution::stop() {
  cancel();
  if (thread_.joinable()) thread_.join();
}

void RunningExecution::forgetEnvironment() {
  Registry::instance().remove(this);
  arrays_.Reset();
  onProgress_.Reset();
  executor_.reset();
  const std::function<void()> onEnd = std::move(onEnd_);
  if (onEnd) onEnd();
}

void RunningExecution::leaveEnvironment() {
  napi_remove_env_cleanup_hook(env_, onEnvironmentEnd, this);
  forgetEnvironment();
}

void RunningExecution::onEnvironmentEnd(void* pointer) {
  const std::shared_ptr<RunningExecution> execution = static_cast<RunningExecution*>(pointer)->shared_from_this();
  execution->stop();
  execution->forgetEnvironment();
}

}  // namespace splitpoint::addon
