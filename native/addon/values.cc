#include "addon/values.h"

#include <cmath>

#include "core/text.h"

namespace splitpoint::addon {

namespace {

constexpr size_t kLongestShown = 40;

std::string shown(Napi::Value value) {
  switch (value.Type()) {
    case napi_undefined:
      return "undefined";
    case napi_null:
      return "null";
    case napi_boolean:
      return value.As<Napi::Boolean>() ? "true" : "false";
    case napi_number:
      return text(value.As<Napi::Number>().DoubleValue());
    case napi_string: {
      const std::string characters = value.As<Napi::String>();
      return characters.size() > kLongestShown ? "a string" : "\"" + characters + "\"";
    }
    case napi_symbol:
      return "a symbol";
    case napi_function:
      return "a function";
    case napi_bigint:
      return "a bigint";
    default:
      return value.IsTypedArray() ? "another typed array" : value.IsArray() ? "an array" : "an object";
  }
}

}  // namespace

void throwExpected(Napi::Value found, const std::string& path, const std::string& expected) {
  throw Napi::TypeError::New(found.Env(), text(path, " is ", shown(found), ", expected ", expected));
}

Napi::Object asObject(Napi::Value value, const std::string& path) {
  if (!value.IsObject() || value.IsFunction()) throwExpected(value, path, "an object");
  return value.As<Napi::Object>();
}

uint64_t asWhole(Napi::Value value, const std::string& path, uint64_t most) {
  const double number = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : -1;
  if (!(number >= 0 && number <= double(most)) || number != std::floor(number)) {
    throwExpected(value, path, text("a whole number from 0 to ", most));
  }
  return uint64_t(number);
}

bool isNothing(Napi::Value value) { return value.IsUndefined() || value.IsNull(); }

Napi::Object objectAt(Napi::Object from, const char* name, const std::string& path) {
  return asObject(from.Get(name), path + "." + name);
}

std::string stringAt(Napi::Object from, const char* name, const std::string& path) {
  const Napi::Value value = from.Get(name);
  if (!value.IsString()) throwExpected(value, path + "." + name, "a string");
  return value.As<Napi::String>();
}

double numberAt(Napi::Object from, const char* name, const std::string& path) {
  const Napi::Value value = from.Get(name);
  if (!value.IsNumber()) throwExpected(value, path + "." + name, "a number");
  return value.As<Napi::Number>().DoubleValue();
}

bool booleanAt(Napi::Object from, const char* name, const std::string& path) {
  const Napi::Value value = from.Get(name);
  if (!value.IsBoolean()) throwExpected(value, path + "." + name, "true or false");
  return value.As<Napi::Boolean>();
}

uint64_t wholeAt(Napi::Object from, const char* name, const std::string& path, uint64_t most) {
  return asWhole(from.Get(name), path + "." + name, most);
}

Napi::Uint8Array newBytes(Napi::Env env, uint64_t count) {
  const Napi::Function constructor = env.Global().Get("Uint8Array").As<Napi::Function>();
  return constructor.New({Napi::Number::New(env, double(count))}).As<Napi::Uint8Array>();
}

}  // namespace splitpoint::addon
