#include "cuda/cublas_files.h"

#include <glob.h>

#include <cstdio>
#include <cstdlib>
#include <memory>

namespace splitpoint {
namespace {

constexpr const char* kVersions[] = {"13", "12"};

void addMatches(const std::string& pattern, std::vector<std::string>& files) {
  glob_t found{};
  if (glob(pattern.c_str(), GLOB_BRACE, nullptr, &found) == 0)
    for (size_t i = 0; i < found.gl_pathc; ++i) files.emplace_back(found.gl_pathv[i]);
  globfree(&found);
}

void addLibraries(const std::string& folder, std::vector<std::string>& files) {
  for (const char* version : kVersions) addMatches(folder + "/libcublas.so." + version, files);
}

// The wheels of CUDA 13 share the folder cu13; those of CUDA 12 have one a library.
void addPackages(const std::string& packages, std::vector<std::string>& files) {
  addLibraries(packages + "/nvidia/{cu13,cublas}/lib", files);
}

}  // namespace

std::vector<std::string> cublasFiles() {
  std::vector<std::string> files;
  for (const char* version : kVersions) files.push_back(std::string("libcublas.so.") + version);
  addLibraries("/usr/local/cuda*/{lib64,targets/*-linux/lib}", files);
  for (const char* variable : {"VIRTUAL_ENV", "CONDA_PREFIX"}) {
    const char* prefix = std::getenv(variable);
    if (!prefix || !*prefix) continue;
    addPackages(std::string(prefix) + "/lib/python3*/site-packages", files);
    addLibraries(std::string(prefix) + "/lib", files);
  }
  if (const char* home = std::getenv("HOME"); home && *home)
    addPackages(
        std::string(home) +
            "/{.local,.pyenv/versions/*,*conda*,*conda*/envs/*,miniforge*,.venv,venv}/lib/python3*/site-packages",
        files);
  addPackages(".venv/lib/python3*/site-packages", files);
  addPackages("/usr{,/local}/lib/python3*/{dist,site}-packages", files);
  addPackages("/opt/{,*/,*/envs/*/,*/*/}lib/python3*/site-packages", files);
  return files;
}

std::vector<std::string> cublasFilesOfPython() {
  std::vector<std::string> files;
  const char* command =
      "python3 -c 'import site, sysconfig; print(*dict.fromkeys([sysconfig.get_path(\"purelib\"), "
      "sysconfig.get_path(\"platlib\"), "
      "*site.getsitepackages(), site.getusersitepackages()]), sep=\"\\n\")' 2>/dev/null </dev/null";
  std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command, "r"), pclose);
  if (!pipe) return files;
  char line[4096];
  while (std::fgets(line, sizeof line, pipe.get())) {
    std::string packages = line;
    while (!packages.empty() && packages.back() == '\n') packages.pop_back();
    addPackages(packages, files);
  }
  return files;
}

}  // namespace splitpoint
