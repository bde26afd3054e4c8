"""Targets that are Terraform's sources: everything that is asked of them is asked."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from tfgate.hcl.index import SourceIndex, disagreement
from tfgate.hcl.source_blocks import blocks
from tfgate.hcl.waivers import comment_waivers, foreign_skips

if TYPE_CHECKING:
    from pathlib import Path

ADDRESSES = (
    "aws_s3_bucket.a",
    'aws_s3_bucket.a["x"]',
    "data.aws_ami.a",
    "module.net.aws_s3_bucket.a[0]",
    "module.net",
    "output.o",
    "module.net[0].module.inner.terraform_data.t",
    "",
    "...[",
)
PATHS = (None, "bucket", "ingress[1].cidr_blocks", "tags.Name", 'x["y"].z', "", "[", "a..b")


def native(data: bytes, folder: Path) -> None:
    """Take the bytes as main.tf, and as the file of a module it may call."""
    ask(folder, {"main.tf": data, "inner/main.tf": data})


def json_syntax(data: bytes, folder: Path) -> None:
    """Take the bytes as main.tf.json."""
    ask(folder, {"main.tf.json": data})


def modules(data: bytes, folder: Path) -> None:
    """Take the bytes as what ``terraform init`` noted of modules."""
    main = b'module "net" {\n  source = "acme/net/aws"\n}\n'
    ask(folder, {".terraform/modules/modules.json": data, "main.tf": main})


def ask(folder: Path, files: dict[str, bytes]) -> None:
    """Ask everything of a configuration with these files."""
    root = folder / "root"
    shutil.rmtree(root, ignore_errors=True)
    for name, data in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    index = SourceIndex.build(root)
    for address in ADDRESSES:
        for path_in_block in PATHS:
            index.locate(address, path_in_block)
    comment_waivers(index)
    foreign_skips(index)
    disagreement(index, ADDRESSES)
    for problem in index.problems:
        assert problem.render()
    for block in blocks(SourceIndex.build(root)):
        assert block.address is not None
