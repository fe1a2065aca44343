# SPDX-License-Identifier: GPL-3.0-or-later
"""The bill of materials against SPDX 2.3's rules, the files it names, and the libraries that the built programs load."""
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest

import tap

SOURCE, PROGRAMS = os.environ["SOURCE"], os.environ["PROGRAMS"].split(":")
# Of the compiler and the system: every C++ program has them.
SYSTEM = re.compile(r"(libc|libm|libdl|libpthread|libstdc\+\+|libgcc_s|libgomp|libasan|libubsan|ld-linux.*)\.so")
SPDX_ID = re.compile(r"SPDXRef-[A-Za-z0-9.-]+")


def listed():
    with open(os.environ["SBOM"], encoding="utf-8") as f: return json.load(f)


def loaded(program):
    """The shared objects that a program names, without our own."""
    shown = subprocess.run(["readelf", "-d", program], capture_output=True, text=True, check=True, env={"PATH": os.environ["PATH"]}).stdout
    names = re.findall(r"\(NEEDED\).*\[(.*)\]", shown)
    return [name for name in names if not SYSTEM.match(name) and not name.startswith("libgeometry-transfer")]


def wrong(document):
    """What SPDX 2.3 does not allow in this document."""
    found = []

    def need(thing, fields, what):
        found.extend(f"{what} has no {field}" for field in fields if thing.get(field) in (None, "", []))

    need(document, ["spdxVersion", "dataLicense", "SPDXID", "name", "documentNamespace", "creationInfo", "packages", "files", "relationships"],
         "the document")
    need(document.get("creationInfo", {}), ["created", "creators"], "creationInfo")
    if found: return found
    if document["spdxVersion"] != "SPDX-2.3" or document["dataLicense"] != "CC0-1.0": found.append("version or licence of the document")
    if document["SPDXID"] != "SPDXRef-DOCUMENT": found.append("SPDXID of the document")
    if not re.fullmatch(r"https://[^#\s]+", document["documentNamespace"]): found.append("documentNamespace")
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", document["creationInfo"]["created"]): found.append("created")
    for one in document["creationInfo"]["creators"]:
        if not re.match(r"(Tool|Organization|Person): \S", one): found.append(f"creator {one}")
    for p in document["packages"]:
        need(p, ["SPDXID", "name", "versionInfo", "downloadLocation", "licenseConcluded", "licenseDeclared", "copyrightText"], str(p.get("name")))
        if p.get("filesAnalyzed", True): need(p, ["packageVerificationCode", "licenseInfoFromFiles", "hasFiles"], str(p.get("name")))
        elif "packageVerificationCode" in p or "hasFiles" in p: found.append(f"{p['name']} has files that were not analysed")
    for f in document["files"]:
        need(f, ["SPDXID", "fileName", "checksums", "licenseConcluded", "licenseInfoInFiles", "copyrightText"], str(f.get("fileName")))
        kinds = {c["algorithm"]: c["checksumValue"] for c in f["checksums"]}
        if not re.fullmatch("[0-9a-f]{40}", kinds.get("SHA1", "")) or not re.fullmatch("[0-9a-f]{64}", kinds.get("SHA256", "")):
            found.append(f"checksums of {f['fileName']}")
    ids = ["SPDXRef-DOCUMENT"] + [x["SPDXID"] for x in document["packages"] + document["files"]]
    found.extend(f"id {one}" for one in ids if not SPDX_ID.fullmatch(one) or ids.count(one) > 1)
    ends = [r[end] for r in document["relationships"] for end in ("spdxElementId", "relatedSpdxElement")]
    ends += [one for p in document["packages"] for one in p.get("hasFiles", [])]
    found.extend(f"{one} is named and not there" for one in ends if one not in ids)
    if not any(r["relationshipType"] == "DESCRIBES" for r in document["relationships"]): found.append("nothing is described")
    return found


class Sbom(unittest.TestCase):
    def test_the_structure_is_spdx(self):
        self.assertEqual(wrong(listed()), [])
        # The check sees what is missing.
        for where in ("packages", "files"):
            for field in listed()[where][0]:
                if field in ("supplier", "primaryPackagePurpose", "fileTypes", "filesAnalyzed"): continue
                broken = listed()
                broken[where][0][field] = "" if field != "checksums" else []
                self.assertNotEqual(wrong(broken), [], f"{where}: {field}")

    def test_every_weight_is_listed_with_its_checksums(self):
        files = {f["fileName"]: {c["algorithm"]: c["checksumValue"] for c in f["checksums"]} for f in listed()["files"]}
        models = os.path.join(SOURCE, "core/models")
        there = {"./" + os.path.relpath(os.path.join(folder, name), SOURCE)
                 for folder, _, names in os.walk(models) for name in names if name.endswith(".safetensors")}
        self.assertEqual(set(files), there)
        self.assertGreaterEqual(len(there), 3)
        for name, sums in files.items():
            with open(os.path.join(SOURCE, name), "rb") as f: data = f.read()
            self.assertEqual(sums, {"SHA1": hashlib.sha1(data).hexdigest(), "SHA256": hashlib.sha256(data).hexdigest()}, name)
        for p in listed()["packages"]:
            if not p["filesAnalyzed"]: continue
            own = sorted(f["checksums"][0]["checksumValue"] for f in listed()["files"] if f["SPDXID"] in p["hasFiles"])
            self.assertEqual(p["packageVerificationCode"]["packageVerificationCodeValue"], hashlib.sha1("".join(own).encode()).hexdigest())
            # The licence is what the model's own card says.
            with open(os.path.join(models, p["name"].split("-")[-1], "README.md"), encoding="utf-8") as f: card = f.read()
            self.assertRegex(card, rf"\| licence \| {re.escape(p['licenseDeclared'])}\b")

    def test_every_library_that_is_loaded_is_listed(self):
        objects = [start for p in listed()["packages"] if p.get("comment", "").startswith("shared objects: lib")
                   for start in p["comment"].split(": ")[1].split()]
        count = 0
        for program in PROGRAMS:
            for name in loaded(program):
                count += 1
                self.assertTrue(any(name.startswith(start) for start in objects), f"{os.path.basename(program)} loads {name}")
        self.assertGreater(count, 8)
        for p in listed()["packages"]: self.assertRegex(p["versionInfo"], r"^\d+(\.\d+)+", p["name"])

    def test_the_same_build_writes_the_same_bytes(self):
        command = [sys.executable, os.path.join(SOURCE, "core/sbom/sbom.py")]
        written = []
        with tempfile.TemporaryDirectory() as folder:
            for epoch in ("1700000000", "1700000000", "1700000001"):
                out = os.path.join(folder, "out")
                subprocess.run([*command, out, "1.2", SOURCE, "zlib=1.3", "fmt=9.1"], check=True, env={"SOURCE_DATE_EPOCH": epoch})
                with open(out, "rb") as f: written.append(f.read())
        self.assertEqual(written[0], written[1])
        self.assertNotEqual(json.loads(written[1])["documentNamespace"], json.loads(written[2])["documentNamespace"])
        self.assertEqual(json.loads(written[0])["creationInfo"]["created"], "2023-11-14T22:13:20Z")
        self.assertNotIn(SOURCE.encode(), written[0])


if __name__ == "__main__":
    tap.main()
