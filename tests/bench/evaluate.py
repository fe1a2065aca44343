#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a matrix of requests over a folder of cases, and score it.

    evaluate.py PROGRAM CASES OUT [--rows FILE] [--only WORDS] [--threads N] [--keep] [--no-baselines] [--sheet N]

PROGRAM is geometry-transfer. CASES holds NAME/{source,target,mask,truth}.png, NAME = NN-KIND (make_cases.py draws such a folder).
--rows FILE: a request a line, its name up to the first tab, then parameters of the command line, NAME=VALUE, with spaces between:

    Best, half the noise	preset=best noise=125

`source`, `mask`, `reference`, `reference-mask` and `texture` name files of the case's folder. Lines that begin with # are comments;
without --rows the presets Instant and Balanced are run. All requests go through one process: the model loads once.

Writes below OUT
    ROW/CASE.png   results            table.md   overall, and by kind of geometry     sheet.jpg   pictures side by side
    report.json    what was done      table.tsv  a line a request and case
and prints table.md. Beside the requests stand the baselines: nothing done, plain paste, colour-adjusted paste, OpenCV's
seamlessClone, normal and mixed. The columns are score.py's; `passes` is how many pictures the model's network was run on.
--only WORDS takes the cases whose name holds one of the words (comma between), --keep leaves results that are there.
Needs Debian's python3-opencv and python3-numpy.
"""
import argparse, json, os, re, subprocess, sys
import cv2, numpy as np

from score import BASELINES, COLUMNS, baseline, cases, load, score

LABELS = dict(target="nothing done", paste="plain paste", colour="colour-adjusted paste", clone="OpenCV clone, normal",
              mixed="OpenCV clone, mixed")
FILES = ("source", "mask", "reference", "reference-mask", "texture")
PRESETS = "Instant\tpreset=instant\nBalanced\tpreset=balanced\n"


def read_rows(text):
    """[(name, {parameter: value})]"""
    rows = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        name, _, settings = line.partition("\t")
        pairs = [s.partition("=") for s in settings.split()]
        if any(not eq for _, eq, _ in pairs):
            sys.exit(f"line {number} of the rows: \"{line}\" is not a name, a tab and NAME=VALUE")
        rows.append((name.strip(), {key: value for key, _, value in pairs}))
    return rows


def folder_of(name):
    return re.sub(r"[^\w.+-]+", "-", name).strip("-")


def transfer(options, rows, folders):
    """One batch of all rows and cases. Returns {output: its report}."""
    jobs = []
    for name, settings in rows:
        os.makedirs(os.path.join(options.out, folder_of(name)), exist_ok=True)
        for case in folders:
            here = os.path.abspath(os.path.join(options.cases, case))
            job = dict(target="target.png", source="source.png", mask="mask.png")
            job.update(settings)
            for key in ("target",) + FILES:
                if key in job:
                    job[key] = os.path.join(here, job[key])
            job["output"] = os.path.abspath(os.path.join(options.out, folder_of(name), case + ".png"))
            if not (options.keep and os.path.exists(job["output"])):
                jobs.append(job)
    path, report = os.path.join(options.out, "jobs.json"), os.path.join(options.out, "report.json")
    known = {r["output"]: r for r in json.load(open(report))} if options.keep and os.path.exists(report) else {}
    if jobs:
        json.dump(jobs, open(path, "w"), indent=1)
        new = path + ".report"
        subprocess.run([options.program, "--batch", path, "--threads", str(options.threads), "--report", new], check=True)
        known.update({r["output"]: r for r in json.load(open(new))})
        os.remove(new)
        os.remove(path)
    json.dump(list(known.values()), open(report, "w"), indent=1)
    return known


def kind_of(case):
    return case.split("-")[-1]


def tables(results, passes):
    """Markdown: overall, then in_psnr / harmony by kind."""
    kinds = sorted({kind_of(c) for r in results.values() for c in r})
    mean = lambda scores, column, kind=None: np.mean([s[column] for c, s in scores.items() if kind in (None, kind_of(c))])
    lines = ["| request | in_psnr | relief | harmony | seam | outside | passes |", "|---|---|---|---|---|---|---|"]
    for name, scores in results.items():
        lines.append(f"| {name} | {mean(scores, 'in_psnr'):.2f} | {mean(scores, 'relief'):.3f} | {mean(scores, 'harmony'):.2f} | "
                     f"{mean(scores, 'seam'):.2f} | {mean(scores, 'outside'):.0f} | {passes.get(name, 0):.0f} |")
    lines += ["", "| in_psnr, harmony | " + " | ".join(kinds) + " |", "|---" * (len(kinds) + 1) + "|"]
    for name, scores in results.items():
        lines.append(f"| {name} | " + " | ".join(f"{mean(scores, 'in_psnr', k):.1f}, {mean(scores, 'harmony', k):.1f}" for k in kinds) + " |")
    return "\n".join(lines) + "\n"


def sheet(columns, mask, side=192):
    """One row of pictures, the part around the mask, each with its name."""
    x, y, w, h = cv2.boundingRect((mask > 127).astype(np.uint8))
    want = min(int(1.5 * max(w, h)) + 16, *mask.shape)
    x0, y0 = (int(np.clip(m - want / 2, 0, s - want)) for m, s in ((x + w / 2, mask.shape[1]), (y + h / 2, mask.shape[0])))
    panels = []
    for name, picture in columns:
        part = cv2.resize(picture[y0:y0 + want, x0:x0 + want], (side, side), interpolation=cv2.INTER_AREA)
        strip = np.full((18, side, 3), 255, np.uint8)
        cv2.putText(strip, name[:26], (2, 13), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (0, 0, 0), 1, cv2.LINE_AA)
        panels += [np.vstack([strip, part]), np.full((side + 18, 3, 3), 255, np.uint8)]
    return np.hstack(panels[:-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("cases")
    parser.add_argument("out")
    parser.add_argument("--rows")
    parser.add_argument("--only", default="")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--no-baselines", action="store_true")
    parser.add_argument("--sheet", type=int, default=6, metavar="N", help="cases in sheet.jpg; 0: none")
    options = parser.parse_args()
    rows = read_rows(open(options.rows).read() if options.rows else PRESETS)
    words = [w for w in options.only.split(",") if w]
    chosen = [c for c in cases(options.cases) if not words or any(w in c[0] for w in words)]
    if not chosen:
        sys.exit(f"no case in {options.cases}")
    os.makedirs(options.out, exist_ok=True)
    reports = transfer(options, rows, [name for name, _, _ in chosen])

    results, strips, calls = {}, [], {}
    for case, p, mask in chosen:
        pictures = [("source", p["source"]), ("target", p["target"]), ("truth", p["truth"])]
        for name in () if options.no_baselines else BASELINES:
            result = baseline(name, p["source"], p["target"], mask)
            results.setdefault(LABELS[name], {})[case] = score(result, p["truth"], p["target"], mask)
            if name in ("colour", "mixed"):
                pictures.append((LABELS[name], result))
        for name, _ in rows:
            path = os.path.abspath(os.path.join(options.out, folder_of(name), case + ".png"))
            result = load(path)
            results.setdefault(name, {})[case] = score(result, p["truth"], p["target"], mask)
            calls.setdefault(name, []).append(reports.get(path, {}).get("unet_streams", 0))
            pictures.append((name, result))
        if len(strips) < options.sheet:
            strips.append(sheet(pictures, mask))
    with open(os.path.join(options.out, "table.tsv"), "w") as f:
        f.write("\t".join(("request", "case") + COLUMNS) + "\n")
        for name, scores in results.items():
            for case, s in scores.items():
                f.write("\t".join([name, case] + [f"{s[c]:.4f}" for c in COLUMNS]) + "\n")
    text = tables(results, {name: np.mean(c) for name, c in calls.items()})
    open(os.path.join(options.out, "table.md"), "w").write(text)
    if strips:
        cv2.imwrite(os.path.join(options.out, "sheet.jpg"), np.vstack(strips), [cv2.IMWRITE_JPEG_QUALITY, 90])
    print(text, end="")


if __name__ == "__main__":
    main()
