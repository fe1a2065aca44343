# SPDX-License-Identifier: GPL-3.0-or-later
"""Many transfers in one process."""
import json
import os
import shutil
import signal
import subprocess
import unittest

import tap
from command import PROGRAM, Case, material, peak, run


class Batch(Case):
    def list(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as f: f.write(text)
        return self.path(name)

    def test_a_tsv_with_paths_beside_it(self):
        lines = ["target\tsource\tmask\toutput\tshift-x", "target.png\tsource.png\tmask.png\ta.png\t",
                 "target.png\tsource.png\tmask.png\tb.png\t20"]
        done = self.ok(run("--batch", self.list("jobs.tsv", "\n".join(lines)), "--preset", "instant", "--quiet", "--report", "json"))
        self.assertEqual([r["request"]["shift-x"] for r in self.report(done)], [0, 20])
        self.assertTrue((self.read("a.png") != self.read("b.png")).any())
        self.ok(self.instant("--shift-x", "20"))
        self.assertTrue((self.read("result.png") == self.read("b.png")).all())

    def test_json(self):
        jobs = [dict(target="target.png", source="source.png", mask=self.path("mask.png"), output="a.png", flip=True, scale=0.5)]
        done = self.ok(run("--batch", self.list("jobs.json", json.dumps(jobs)), "--preset", "instant", "--quiet", "--report", "json"))
        self.assertEqual(self.report(done)[0]["request"]["scale"], 0.5)

    def test_a_byte_order_mark_is_no_name(self):
        mark, names = "\ufeff", ("target", "source", "mask", "output")
        row = ["target.png", "source.png", "mask.png", "a.png"]
        for name, text in (("jobs.tsv", "\t".join(names) + "\n" + "\t".join(row)), ("note.tsv", "# a note\n" + "\t".join(names) + "\n" + "\t".join(row)),
                           ("jobs.json", json.dumps([dict(zip(names, row))]))):
            with self.subTest(name):
                self.ok(run("--batch", self.list(name, mark + text), "--preset", "instant", "--quiet"))
                os.remove(self.path("a.png"))
        self.refused(run("--batch", self.list("mark.tsv", mark), "--preset", "instant"), "no jobs")

    def test_a_further_reference_and_a_texture(self):
        self.write("flat.png", material(128, 128, (90, 120, 100), 4, 3))
        plain = dict(target="target.png", source="source.png", mask="mask.png")
        jobs = [dict(plain, output="a.png", **{"shift-x": 5}),
                dict(plain, output="b.png", reference="flat.png", texture="target.png", **{"shift-x": 5, "reference-mask": "mask.png"})]
        alone = [{name: value for name, value in jobs[1].items() if name != "reference-mask"}]
        self.refused(run("--batch", self.list("alone.json", json.dumps(alone)), "--preset", "instant"), "--reference-mask")
        self.ok(run("--batch", self.list("jobs.json", json.dumps(jobs)), "--preset", "instant", "--quiet"))
        self.assertTrue((self.read("a.png") != self.read("b.png")).any())
        self.ok(self.instant("--shift-x", "5", "--reference", self.path("flat.png"), "--reference-mask", self.path("mask.png")))
        self.assertTrue((self.read("result.png") == self.read("b.png")).all())

    def test_a_folder_of_cases(self):
        for name in ("one", "two"):
            os.makedirs(self.path("cases/" + name))
            for part in ("target", "source", "mask"): shutil.copy(self.path(part + ".png"), self.path(f"cases/{name}/{part}.png"))
        os.makedirs(self.path("cases/other"))
        cases = ("--batch", self.path("cases"), "--output", self.path("out"), "--preset", "instant", "--quiet", "--report")
        self.refused(run(*cases, self.path("no/report.json")), "no folder")
        shutil.rmtree(self.path("out"))
        self.ok(run(*cases, self.path("out/report.json")))
        self.assertEqual(sorted(os.listdir(self.path("out"))), ["one.png", "report.json", "two.png"])

    def test_a_tiff_target_of_a_folder_gives_a_tiff(self):
        for name, ending in (("a", ".png"), ("b", ".tiff"), ("c", ".tif"), ("d", ".jpg")):
            os.makedirs(self.path("cases/" + name))
            for part in ("source", "mask"): shutil.copy(self.path(part + ".png"), self.path(f"cases/{name}/{part}.png"))
            self.write(f"cases/{name}/target{ending}", self.target)
        self.ok(run("--batch", self.path("cases"), "--output", self.path("out"), "--preset", "instant", "--quiet"))
        self.assertEqual(sorted(os.listdir(self.path("out"))), ["a.png", "b.tiff", "c.tif", "d.png"])
        with open(self.path("out/b.tiff"), "rb") as f: self.assertIn(f.read(4), (b"II*\0", b"MM\0*"))

    def test_links_that_lead_nowhere_are_jobs_that_fail(self):
        for name in ("good", "loop", "gone"):
            os.makedirs(self.path("cases/" + name))
            for part in ("target", "source", "mask"): shutil.copy(self.path(part + ".png"), self.path(f"cases/{name}/{part}.png"))
        for name, link in (("loop", "target.png"), ("gone", "nowhere.png")):
            os.remove(self.path(f"cases/{name}/target.png"))
            os.symlink(link, self.path(f"cases/{name}/target.png"))
        os.symlink("self", self.path("cases/self"))
        done = run("--batch", self.path("cases"), "--output", self.path("out"), "--preset", "instant", "--quiet")
        self.assertEqual((done.returncode, len(done.stderr.splitlines())), (1, 2), done.stderr)
        for name in ("loop", "gone"): self.assertIn(os.path.join(name, "target.png") + '" cannot be opened', done.stderr)
        self.assertEqual(os.listdir(self.path("out")), ["good.png"])

    def test_a_folder_that_cannot_be_read(self):
        os.mkdir(self.path("cases"), 0o311)
        os.chmod(self.folder, 0o755)
        drop = {"user": 65534, "group": 65534} if os.geteuid() == 0 else {}
        try:
            self.refused(run("--batch", self.path("cases"), "--output", self.path("out"), "--preset", "instant", **drop), "cannot be opened")
        except PermissionError:
            self.skipTest("the program's own folder is closed to others")

    def test_one_bad_job_does_not_stop_the_others(self):
        lines = ["target\tsource\tmask\toutput", "nowhere.png\tsource.png\tmask.png\ta.png", "target.png\tsource.png\tmask.png\tb.png"]
        done = run("--batch", self.list("jobs.tsv", "\n".join(lines)), "--preset", "instant", "--quiet", "--report", "json")
        self.refused(done, "a.png", "nowhere.png")
        self.assertTrue(os.path.exists(self.path("b.png")))
        self.assertIn("error", self.report(done)[0])

    def test_an_interrupt_keeps_what_is_done_and_says_so(self):
        rows = ["target.png\tsource.png\tmask.png\t%d.png" % i for i in range(400)]
        jobs = self.list("jobs.tsv", "\n".join(["target\tsource\tmask\toutput", *rows]))
        report = self.path("report.json")
        child = subprocess.Popen([PROGRAM, "--batch", jobs, "--preset", "instant", "--report", report], stderr=subprocess.PIPE, text=True)
        said = [child.stderr.readline(), child.stderr.readline()]  # two are done
        child.send_signal(signal.SIGINT)
        said += child.communicate(timeout=100)[1].splitlines()
        self.assertEqual(child.returncode, 130, said)
        done = [n for n in range(400) if os.path.exists(self.path(f"{n}.png"))]
        self.assertIn(f"Interrupted: {len(done)} of 400 results were written.", said[-1])
        with open(report, encoding="utf-8") as f: self.assertEqual([r["output"] for r in json.load(f)], [self.path(f"{n}.png") for n in done])

    def test_mistakes_in_a_list_are_found_before_any_work(self):
        good = "target.png\tsource.png\tmask.png\ta.png"
        for text, word in (("target\tsource\tmask\toutput\tspeed\n" + good + "\t1", ":2:"), ("target\tsource\tmask\n" + good, ":2:"),
                           ("target\tsource\tmask\toutput\tsteps\n" + good + "\t0", "steps"), ("", "no jobs")):
            self.refused(run("--batch", self.list("jobs.tsv", text), "--preset", "instant"), word)
            self.assertFalse(os.path.exists(self.path("a.png")))
        self.refused(run("--batch", self.list("jobs.json", "{")), "JSON")
        deep = "[" * 200000 + "]" * 200000  # printing it recursively would overflow the stack
        self.refused(run("--batch", self.list("deep.json", '[{"target": %s}]' % deep)), "target")
        self.refused(run("--batch", self.path("nowhere.tsv")), "nowhere.tsv")

    def test_lists_obey_what_pictures_obey(self):
        good = dict(target="target.png", source="source.png", mask="mask.png", output="a.png")
        os.mkfifo(self.path("pipe.tsv"))  # nobody writes to it
        for path in (self.path("pipe.tsv"), "/dev/zero"):
            self.refused(run("--batch", path, "--preset", "instant", timeout=20), f"{path} is not a file")
        for name in ("long.tsv", "long.json"):
            with open(self.path(name), "w") as f: f.write("[")
            os.truncate(self.path(name), 5 << 30)  # a hole
            self.refused(run("--batch", self.path(name), "--preset", "instant"), name, "5120 MB")
        many = "[" + ",".join(["1"] * 500000) + "]"
        for text, words in (('[%s]' % json.dumps(dict(good, output="a\0b.png")), ("output", "NUL")),
                            ('[{"target": %s}]' % many, (":1:", "target")), (many, (":1:", "object")),
                            ('[{%s}]' % ",".join(['"scale": 1'] * 500000), (":1:", "1000")), ('{"target": 1}', ("JSON array",)),
                            ('[%s, {"target": null}]' % json.dumps(good), (":2:", "target"))):
            done, most = peak(["--batch", self.list("jobs.json", text), "--preset", "instant"])
            self.refused(done, *words)
            self.assertLess(most - peak(["--version"])[1], 30 << 20)
        header = "\t".join(good)
        for text, words in ((header + "\t" * 500000 + "\n", (":1:", "500004 cells")),
                            (header + "\n" + "\t".join(dict(good, output="a\0b.png").values()), (":2:", "NUL")),
                            (header + "\n" + ("\t".join(good.values()) + "\n") * 100001, ("100000 jobs",))):
            self.refused(run("--batch", self.list("jobs.tsv", text), "--preset", "instant"), *words)

    def test_two_jobs_do_not_share_an_output_nor_overwrite_an_input(self):
        header = "target\tsource\tmask\toutput\tlayer"
        row = "target.png\tsource.png\tmask.png\t"
        os.symlink("a.png", self.path("link.png"))
        for second, words in (("a.png\t", ("a.png", "one file")), ("link.png\t", ("a.png", "link.png", "one file")), ("b.png\ta.png", ("one file",)),
                              ("source.png\t", ("source.png", "also read")), ("b.png\tmask.png", ("mask.png", "also read")),
                              ("target.png\t", ("target.png", "also read"))):  # the first job reads it, too
            jobs = self.list("jobs.tsv", "\n".join([header, row + "a.png\t", row + second]))
            self.refused(run("--batch", jobs, "--preset", "instant", "--quiet"), *words)
            self.assertFalse(os.path.exists(self.path("a.png")))
        # The second job continues with the first one's result.
        jobs = self.list("jobs.tsv", "\n".join([header, row + "a.png\t", "a.png\tsource.png\tmask.png\tb.png\t"]))
        self.ok(run("--batch", jobs, "--preset", "instant", "--quiet", "--shift-x", "20"))
        self.assertTrue((self.read("b.png") != self.read("a.png")).any())

    @unittest.skipUnless(shutil.which("parallel"), "GNU parallel is not installed")
    def test_gnu_parallel_as_the_readme_says(self):
        names = ("target", "source", "mask")
        lines = ["\t".join([self.path(n + ".png") for n in names] + [self.path(f"out-{i}.png")]) for i in range(3)]
        jobs = self.list("jobs.tsv", "\n".join(lines) + "\n")
        done = subprocess.run(["parallel", "--will-cite", "-j", "2", "--colsep", "\t", PROGRAM, "--preset", "instant", "--threads", "1", "--quiet",
                               "--target", "{1}", "--source", "{2}", "--mask", "{3}", "--output", "{4}", "::::", jobs],
                              capture_output=True, text=True, stdin=subprocess.DEVNULL, env=dict(os.environ, HOME=self.folder))
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.ok(self.instant())
        for i in range(3): self.assertTrue((self.read(f"out-{i}.png") == self.read("result.png")).all())


if __name__ == "__main__":
    tap.main()
