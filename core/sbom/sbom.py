#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the software bill of materials, SPDX 2.3 in JSON: the program, the libraries that it was built with, and the weights
that ship, each weight with its checksums.

    sbom.py OUT PROGRAM_VERSION SOURCE_FOLDER LIBRARY=VERSION...

The libraries' versions are those that meson found. The same arguments and SOURCE_DATE_EPOCH give the same bytes.
"""
import datetime
import hashlib
import json
import os
import sys

# name: (licence, home, beginnings of the shared objects' names; none for a library of headers)
LIBRARIES = {
    "babl": ("LGPL-3.0-or-later", "https://gegl.org/babl/", ["libbabl"]),
    "cairo": ("LGPL-2.1-only OR MPL-1.1", "https://www.cairographics.org/", ["libcairo"]),
    "CLI11": ("BSD-3-Clause", "https://github.com/CLIUtils/CLI11", []),
    "fmt": ("MIT", "https://fmt.dev/", []),
    "gdk-pixbuf": ("LGPL-2.1-or-later", "https://gitlab.gnome.org/GNOME/gdk-pixbuf", ["libgdk_pixbuf"]),
    "gegl": ("LGPL-3.0-or-later AND GPL-3.0-or-later", "https://gegl.org/", ["libgegl"]),
    "gimp": ("LGPL-3.0-or-later", "https://www.gimp.org/", ["libgimp"]),
    "glib": ("LGPL-2.1-or-later", "https://gitlab.gnome.org/GNOME/glib", ["libglib", "libgobject", "libgio", "libgmodule"]),
    "gtk": ("LGPL-2.1-or-later", "https://www.gtk.org/", ["libgtk", "libgdk-"]),
    "lcms2": ("MIT", "https://www.littlecms.com/", ["liblcms2"]),
    "libjpeg-turbo": ("IJG AND BSD-3-Clause AND Zlib", "https://libjpeg-turbo.org/", ["libjpeg"]),
    "libpng": ("libpng-2.0", "http://www.libpng.org/", ["libpng16"]),
    "libtiff": ("libtiff", "https://libtiff.gitlab.io/libtiff/", ["libtiff"]),
    "libtorch": ("BSD-3-Clause", "https://pytorch.org/", ["libtorch", "libc10"]),
    "libyaml": ("MIT", "https://github.com/yaml/libyaml", ["libyaml"]),
    "nlohmann-json": ("MIT", "https://json.nlohmann.me/", []),
    "oneDNN": ("Apache-2.0", "https://github.com/oneapi-src/oneDNN", ["libdnnl"]),
    "OpenCV": ("Apache-2.0", "https://opencv.org/", ["libopencv_core", "libopencv_imgproc"]),
    "pango": ("LGPL-2.1-or-later", "https://pango.org/", ["libpango"]),
    "zlib": ("Zlib", "https://zlib.net/", ["libz."]),
}
PROGRAM = "SPDXRef-geometry-transfer"
AUTHORS = "Geometry Transfer's authors"
# The models that ship: folder under core/models and licence. relief is part of a library, surface is installed.
MODELS = {"relief": "CC-BY-SA-4.0", "surface": "CC-BY-SA-4.0"}


def spdx_id(*parts):
    return "SPDXRef-" + "-".join("".join(c if c.isalnum() or c in ".-" else "-" for c in part) for part in parts)


def sums(path):
    """(SHA-1, SHA-256) of a file. SPDX asks for SHA-1."""
    both = hashlib.sha1(), hashlib.sha256()
    with open(path, "rb") as f:
        for piece in iter(lambda: f.read(1 << 20), b""):
            for one in both: one.update(piece)
    return tuple(one.hexdigest() for one in both)


def library(name, version):
    licence, home, objects = LIBRARIES[name]
    return {"SPDXID": spdx_id("library", name), "name": name, "versionInfo": version, "downloadLocation": "NOASSERTION",
            "homepage": home, "filesAnalyzed": False, "licenseConcluded": "NOASSERTION", "licenseDeclared": licence,
            "copyrightText": "NOASSERTION", "comment": "shared objects: " + (" ".join(objects) or "none, headers only")}


def model(name, source, version):
    """(package, files) of a model's weights."""
    licence, files = MODELS[name], []
    for folder, folders, names in os.walk(os.path.join(source, "core/models", name)):
        folders.sort()
        for one in sorted(names):
            if not one.endswith(".safetensors"): continue
            path = os.path.join(folder, one)
            sha1, sha256 = sums(path)
            shown = os.path.relpath(path, source)
            files.append({"SPDXID": spdx_id("file", shown), "fileName": "./" + shown, "fileTypes": ["BINARY"],
                          "checksums": [{"algorithm": "SHA1", "checksumValue": sha1},
                                        {"algorithm": "SHA256", "checksumValue": sha256}],
                          "licenseConcluded": licence, "licenseInfoInFiles": ["NOASSERTION"], "copyrightText": "NOASSERTION"})
    code = hashlib.sha1("".join(sorted(f["checksums"][0]["checksumValue"] for f in files)).encode()).hexdigest()
    package = {"SPDXID": spdx_id("model", name), "name": "geometry-transfer-model-" + name, "versionInfo": version,
               "downloadLocation": "NOASSERTION", "filesAnalyzed": True,
               "packageVerificationCode": {"packageVerificationCodeValue": code}, "licenseConcluded": licence,
               "licenseDeclared": licence, "licenseInfoFromFiles": ["NOASSERTION"], "copyrightText": AUTHORS,
               "hasFiles": [f["SPDXID"] for f in files]}
    return package, files


def document(version, source, libraries, seconds):
    packages = [{"SPDXID": PROGRAM, "name": "geometry-transfer", "versionInfo": version, "downloadLocation": "NOASSERTION",
                 "supplier": f"Organization: {AUTHORS}", "filesAnalyzed": False, "licenseConcluded": "GPL-3.0-or-later",
                 "licenseDeclared": "GPL-3.0-or-later", "copyrightText": AUTHORS, "primaryPackagePurpose": "APPLICATION"}]
    files, relations = [], [("SPDXRef-DOCUMENT", "DESCRIBES", PROGRAM)]
    for name in MODELS:
        package, own = model(name, source, version)
        packages.append(package)
        files += own
        relations.append((PROGRAM, "CONTAINS", package["SPDXID"]))
    for name, found in sorted(libraries.items()):
        packages.append(library(name, found))
        relations.append((PROGRAM, "DYNAMIC_LINK" if LIBRARIES[name][2] else "STATIC_LINK", packages[-1]["SPDXID"]))
    content = {"packages": packages, "files": files,
               "relationships": [{"spdxElementId": a, "relationshipType": kind, "relatedSpdxElement": b} for a, kind, b in relations]}
    digest = hashlib.sha256(json.dumps([content, seconds], sort_keys=True).encode()).hexdigest()
    created = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT", "name": f"geometry-transfer-{version}",
            "documentNamespace": f"https://spdx.org/spdxdocs/geometry-transfer-{version}-{digest}",
            "creationInfo": {"created": created, "creators": ["Tool: geometry-transfer-sbom.py", f"Organization: {AUTHORS}"]}, **content}


def main():
    out, version, source, *given = sys.argv[1:]
    libraries = dict(one.split("=", 1) for one in given)
    libraries = {name: found.strip('"') for name, found in libraries.items() if found}
    seconds = int(os.environ.get("SOURCE_DATE_EPOCH") or datetime.datetime.now().timestamp())
    text = json.dumps(document(version, source, libraries, seconds), indent=1) + "\n"
    with open(out, "w", encoding="utf-8") as f: f.write(text)


if __name__ == "__main__":
    main()
