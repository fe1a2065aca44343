// SPDX-License-Identifier: GPL-3.0-or-later
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "geometry-transfer/models.h"
#include "safetensors_file.h"

namespace geometry_transfer {
namespace {

namespace fs = std::filesystem;
using test::TemporaryFolder;
using test::write_file;

fs::path surface() { return fs::path(std::getenv("SOURCE")) / "core/models/surface"; }

/// Sets an empty home, so no model of this machine is found.
class FindModels : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"GEOMETRY_TRANSFER_MODELS", "XDG_DATA_HOME", "XDG_CACHE_HOME", "HF_HOME", "HF_HUB_CACHE"})
      unsetenv(name);
    setenv("HOME", home.path().c_str(), 1);
  }
  /// Makes a usable model at `place` below the home.
  fs::path link_model(const std::string& place) const {
    const fs::path link = home / place;
    fs::create_directories(link);
    for (const char* part : {"unet", "vae", "scheduler"}) {
      fs::create_directories(link / part);
      for (const auto& file : fs::directory_iterator(surface() / part))
        fs::create_symlink(file.path(), link / part / file.path().filename());
    }
    return link;
  }
  static const ModelInfo* named(const std::vector<ModelInfo>& models, const std::string& name) {
    const auto found = std::find_if(models.begin(), models.end(), [&](const ModelInfo& m) { return m.name == name; });
    return found == models.end() ? nullptr : &*found;
  }
  TemporaryFolder home;
};

TEST_F(FindModels, AnUninstalledBuildFindsTheSourceTreesModel) {
  const ModelInfo model = shipped_model();
  EXPECT_EQ(model.problem, "");
  EXPECT_EQ(model.family, "surface");
  EXPECT_TRUE(fs::equivalent(model.path, surface()));
  EXPECT_GT(model.bytes, 90'000'000u);
  const auto all = list_models();
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].path, model.path);
}

TEST_F(FindModels, TheUsersOwnPlacesComeFirst) {
  const fs::path data = link_model(".local/share/geometry-transfer/models/surface");
  EXPECT_EQ(shipped_model().path, data);
  link_model("mine/surface");
  setenv("GEOMETRY_TRANSFER_MODELS", (home / "mine").c_str(), 1);
  EXPECT_EQ(shipped_model().path, home / "mine/surface");
  setenv("GEOMETRY_TRANSFER_MODELS", "", 1);
  EXPECT_EQ(shipped_model().path, data);
}

TEST_F(FindModels, TheUsersFolderMayBeRelativeOrBelowTheHome) {
  link_model("mine/surface");
  link_model("mine/other");
  for (const char* value : {"~/mine", "~//mine", "~/mine/", "~"}) {
    setenv("GEOMETRY_TRANSFER_MODELS", value, 1);
    const auto all = list_models();
    ASSERT_NE(named(all, "other"), nullptr) << value;
    EXPECT_TRUE(fs::equivalent(named(all, "other")->path, home / "mine/other")) << named(all, "other")->path;
    EXPECT_EQ(all.size(), value == std::string("~") ? 3u : 2u);  // the shipped model is found elsewhere
  }
  const fs::path before = fs::current_path();
  fs::current_path(home.path());
  for (const char* value : {"mine", "./mine", "mine/../mine"}) {
    setenv("GEOMETRY_TRANSFER_MODELS", value, 1);
    EXPECT_TRUE(fs::path(shipped_model().path).is_absolute()) << shipped_model().path;
    EXPECT_TRUE(fs::equivalent(shipped_model().path, home / "mine/surface")) << value;
    EXPECT_NE(named(list_models(), "other"), nullptr) << value;
  }
  fs::current_path(before);
}

TEST_F(FindModels, AFolderThatTheUserNamesInVainIsListed) {
  write_file(home / "a file", "");
  const std::string at_home = home.path();
  for (const auto& [value, name, says] : {std::tuple(at_home + "/nowhere/", "nowhere", at_home + "/nowhere/ cannot be read"),
                                          {"~/a file", "a file", at_home + "/a file cannot be read"},
                                          {"relative/path", "path", (fs::current_path() / "relative/path").string()},
                                          {"~nobody", "~nobody", (fs::current_path() / "~nobody").string()}}) {
    setenv("GEOMETRY_TRANSFER_MODELS", value.c_str(), 1);
    const auto all = list_models();
    EXPECT_EQ(all.size(), 2u);
    EXPECT_EQ(all[0].problem, "");
    ASSERT_NE(named(all, name), nullptr) << value;
    EXPECT_NE(named(all, name)->problem.find(says), std::string::npos) << named(all, name)->problem;
  }
}

TEST_F(FindModels, FollowsTheListOfFoldersOfComfyUI) {
  link_model("disk/models/checkpoints/one");
  link_model("other/two");
  link_model("disk/models/loras/unlisted");
  write_file(home / "ComfyUI/extra_model_paths.yaml",
             "# of a person\nwebui:\n  base_path: ~/disk/\n  checkpoints: models/checkpoints\n  loras: models/loras\n"
             "more:\n  checkpoints: |\n    ../other\n    ../nowhere\n");
  const auto expect_both = [](const std::vector<ModelInfo>& all, const std::string& how) {
    for (const char* name : {"one", "two"}) {
      ASSERT_NE(named(all, name), nullptr) << how << ": " << name;
      EXPECT_EQ(named(all, name)->problem, "") << how;
    }
    ASSERT_NE(named(all, "nowhere"), nullptr) << how;
    EXPECT_NE(named(all, "nowhere")->problem.find("cannot be read"), std::string::npos);
    EXPECT_EQ(named(all, "unlisted"), nullptr) << how;
    EXPECT_EQ(all.size(), 4u) << how;  // and the shipped model
  };
  expect_both(list_models(), "a usual place");
  fs::rename(home / "ComfyUI", home / "elsewhere");
  EXPECT_EQ(list_models().size(), 1u);
  setenv("GEOMETRY_TRANSFER_MODELS", "~/elsewhere", 1);
  expect_both(list_models(), "the folder that holds it");
  fs::rename(home / "elsewhere/extra_model_paths.yaml", home / "elsewhere/mine.yml");
  setenv("GEOMETRY_TRANSFER_MODELS", "~/elsewhere/mine.yml", 1);
  expect_both(list_models(), "the file");
}

TEST_F(FindModels, ABrokenListOfFoldersIsNamedWithItsLine) {
  link_model("ComfyUI/models/checkpoints/in-comfy");
  const std::string list = write_file(home / "mine.yaml", "a:\n  checkpoints: |\n    x\n b: [\n");
  setenv("GEOMETRY_TRANSFER_MODELS", list.c_str(), 1);
  const auto all = list_models();
  EXPECT_EQ(all.size(), 3u);
  EXPECT_NE(named(all, "in-comfy"), nullptr);
  ASSERT_NE(named(all, "mine.yaml"), nullptr);
  EXPECT_EQ(named(all, "mine.yaml")->problem.find(list + ", line 4: "), 0u) << named(all, "mine.yaml")->problem;
  // A pipe is not waited for; a folder with such a name is a folder.
  fs::remove(list);
  ASSERT_EQ(mkfifo(list.c_str(), 0600), 0);
  EXPECT_NE(named(list_models(), "mine.yaml")->problem.find("is not a file"), std::string::npos);
  fs::remove(list);
  link_model("mine.yaml/inside");
  EXPECT_NE(named(list_models(), "inside"), nullptr);
}

TEST_F(FindModels, LooksInTheUsualPlaces) {
  link_model("ComfyUI/models/diffusers/in-comfy");
  link_model("stable-diffusion-webui/models/Stable-diffusion/deep/er/in webui");
  link_model(".local/share/krita/ai_diffusion/server/ComfyUI/models/checkpoints/in-krita");
  link_model(".cache/huggingface/hub/models--org--the--name/snapshots/0123abcd");
  link_model(".cache/huggingface/hub/models--org--the--name/snapshots/old");
  write_file(home / ".cache/huggingface/hub/models--org--the--name/refs/main", "0123abcd");
  write_file(home / ".cache/huggingface/hub/models--org--language/snapshots/1/model.safetensors", "not one of ours");
  write_file(home / ".cache/huggingface/hub/models--org--language/snapshots/1/config.json", "{}");
  const auto all = list_models();
  ASSERT_EQ(all.size(), 5u);
  EXPECT_EQ(all[0].name, "surface");  // the shipped model, then the others by name
  for (const char* name : {"in-comfy", "in webui", "in-krita", "org/the--name"}) {
    const ModelInfo* model = named(all, name);
    ASSERT_NE(model, nullptr) << name;
    EXPECT_EQ(model->problem, "");
    EXPECT_EQ(model->family, "surface");
  }
  EXPECT_TRUE(std::is_sorted(all.begin() + 1, all.end(), [](auto& a, auto& b) { return a.name < b.name; }));
  EXPECT_EQ(fs::path(named(all, "org/the--name")->path).filename(), "0123abcd");
}

TEST_F(FindModels, ListsWhatCannotBeUsedWithItsProblem) {
  write_file(home / "ComfyUI/models/checkpoints/broken.safetensors", "0123456789");
  write_file(home / "ComfyUI/models/checkpoints/old.ckpt", "PK");
  write_file(home / "ComfyUI/models/checkpoints/q4.gguf", "GGUF");
  write_file(home / "ComfyUI/models/checkpoints/readme.txt", "nothing");
  const auto all = list_models();
  EXPECT_EQ(all.size(), 4u);
  for (const char* name : {"broken", "old", "q4"}) {
    const ModelInfo* model = named(all, name);
    ASSERT_NE(model, nullptr) << name;
    EXPECT_NE(model->problem, "");
    EXPECT_EQ(model->family, "");
  }
}

TEST_F(FindModels, SaysWhichFoldersCannotBeRead) {
  const fs::path closed = home / "ComfyUI/models/checkpoints/closed";
  fs::create_directories(closed);
  fs::permissions(home.path(), fs::perms::all);
  fs::permissions(closed, fs::perms::none);
  const uid_t me = geteuid();
  ASSERT_EQ(seteuid(me == 0 ? 65534 : me), 0);  // root could read everything
  const auto all = list_models();
  ASSERT_EQ(seteuid(me), 0);
  fs::permissions(closed, fs::perms::all);
  ASSERT_NE(named(all, "closed"), nullptr);
  EXPECT_NE(named(all, "closed")->problem.find("cannot be read"), std::string::npos);
}

TEST_F(FindModels, EndsInLoopsAndCrowds) {
  const fs::path root = home / "ComfyUI/models/checkpoints";
  link_model("ComfyUI/models/checkpoints/one");
  fs::create_directory_symlink(root, root / "loop");
  fs::create_directory_symlink(root / "one", root / "again");
  fs::create_symlink(root / "nowhere", root / "nowhere");
  fs::create_directories(root / "zcrowd");
  for (int i = 0; i < 30000; ++i) std::ofstream(root / "zcrowd" / std::to_string(i));
  const auto all = list_models();
  EXPECT_EQ(all.size(), 2u);  // each model once, however many links lead to it
}

TEST_F(FindModels, PipesAreNamedNotWaitedFor) {
  const fs::path root = home / "ComfyUI/models/checkpoints", hub = home / ".cache/huggingface/hub/models--a--b";
  fs::create_directories(root);
  ASSERT_EQ(mkfifo((root / "pipe.safetensors").c_str(), 0600), 0);
  fs::create_directories(hub / "refs");
  ASSERT_EQ(mkfifo((hub / "refs/main").c_str(), 0600), 0);
  const auto all = list_models();
  ASSERT_NE(named(all, "pipe"), nullptr);
  EXPECT_NE(named(all, "pipe")->problem.find("is not a file"), std::string::npos) << named(all, "pipe")->problem;
}

TEST_F(FindModels, InspectNeverThrows) {
  EXPECT_NE(inspect_model("").problem, "");
  EXPECT_NE(inspect_model("/nowhere").problem, "");
  EXPECT_NE(inspect_model(std::string("a\0b", 3)).problem, "");
  EXPECT_NE(inspect_model(home.path()).problem, "");
  EXPECT_EQ(inspect_model(surface().string() + "/").name, "surface");
  unsetenv("HOME");
  EXPECT_FALSE(list_models().empty());
}

}  // namespace
}  // namespace geometry_transfer
