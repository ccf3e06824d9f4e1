import json
import struct

import numpy as np
import pytest

from smc.worlds import ObjectBank
from smc.worlds._decimate import decimate

trimesh = pytest.importorskip("trimesh")
Image = pytest.importorskip("PIL.Image")


@pytest.fixture
def folder(tmp_path):
    """Two classes, every format."""
    box, ball = trimesh.creation.box((1, 2, 3)), trimesh.creation.icosphere(subdivisions=2)
    for name in ("box", "ball"):
        (tmp_path / name).mkdir()
    box.export(tmp_path / "box" / "a.off")
    box.export(tmp_path / "box" / "b.ply")
    box.export(tmp_path / "box" / "c.stl", file_type="stl_ascii")
    ball.export(tmp_path / "ball" / "a.stl")
    ball.export(tmp_path / "ball" / "b.obj")
    ball.export(tmp_path / "ball" / "c.glb")
    return tmp_path


def write_obj(file, materials, body):
    file.with_suffix(".mtl").write_text(materials)
    file.write_text(f"mtllib {file.stem}.mtl\nv 0 0 0\nv 2 0 0\nv 0 1 0\nv 0 0 1\nvt 0 0\nvt .4 0\nvt 0 .4\n{body}")


def test_every_format_is_read_alike(folder):
    bank = ObjectBank.from_folder(folder)
    assert bank.ids.tolist() == ["ball/a.stl", "ball/b.obj", "ball/c.glb", "box/a.off", "box/b.ply", "box/c.stl"]
    assert bank.class_names == ("ball", "box") and bank.groups.tolist() == bank.ids.tolist()
    extents = np.array([np.ptp(bank[i].vertices, axis=0) for i in range(6)])
    assert np.allclose(extents[:3], 0.2, atol=1e-5)
    assert np.allclose(extents[3:], np.array([1, 2, 3]) * 0.2 / np.sqrt(14), atol=1e-5)
    assert [len(bank[i].faces) for i in range(6)] == [320, 320, 320, 12, 12, 12]


def test_y_up_is_turned(folder):
    bank = ObjectBank.from_folder(folder, up="y")
    assert np.allclose(np.ptp(bank[3].vertices, axis=0), np.array([1, 3, 2]) * 0.2 / np.sqrt(14), atol=1e-5)
    (folder / "box" / "a.off").write_text("OFF\n4 2 0\n0 0 0\n1 0 0\n0 1 0\n1 2 3\n3 0 1 3\n3 0 2 3\n")
    plain, turned = (ObjectBank.from_folder(folder, up=up)[3].vertices for up in "zy")
    assert np.allclose(turned, plain[:, [0, 2, 1]] * (1, -1, 1), atol=1e-6)


def test_glued_off_headers_are_read(folder):
    file = folder / "box" / "a.off"
    file.write_text(file.read_text().replace("OFF\n", "OFF", 1))
    assert len(ObjectBank.from_folder(folder)[3].faces) == 12


def test_the_class_is_the_first_subfolder(tmp_path):
    (tmp_path / "cup" / "train").mkdir(parents=True)
    trimesh.creation.box().export(tmp_path / "cup" / "train" / "a.off")
    bank = ObjectBank.from_folder(tmp_path)
    assert bank.classes.tolist() == ["cup"] and bank.ids.tolist() == ["cup/train/a.off"]


def test_materials_and_textures_are_baked_into_faces(tmp_path):
    (tmp_path / "x").mkdir()
    left_green = np.zeros((10, 10, 3), np.uint8)
    left_green[:, :5, 1] = 255
    left_green[:, 5:, 0] = 255
    Image.fromarray(left_green).save(tmp_path / "x" / "t.png")
    write_obj(
        tmp_path / "x" / "a.obj",
        "newmtl blue\nKd 0 0 1\nnewmtl picture\nKd 1 1 1\nmap_Kd t.png\n",
        "usemtl blue\nf 1 2 3\nusemtl picture\nf 1/1 2/2 4/3\n",
    )
    mesh = ObjectBank.from_folder(tmp_path)[0]
    colors = {tuple(color) for color in mesh.face_colors.round(3).tolist()}
    assert colors == {(0.0, 0.0, 1.0), (0.0, 1.0, 0.0)}


def test_scenes_are_placed_and_tinted(tmp_path):
    (tmp_path / "x").mkdir()
    box = trimesh.creation.box()
    material = trimesh.visual.material.PBRMaterial(
        baseColorTexture=Image.new("RGB", (4, 4), (0, 255, 0)), baseColorFactor=[0.5, 0.5, 0.5, 1]
    )
    box.visual = trimesh.visual.TextureVisuals(uv=np.full((len(box.vertices), 2), 0.5), material=material)
    scene = trimesh.Scene([box])
    scene.add_geometry(box, transform=trimesh.transformations.translation_matrix([4, 0, 0]))
    scene.export(tmp_path / "x" / "a.glb")
    mesh = ObjectBank.from_folder(tmp_path)[0]
    extent = np.ptp(mesh.vertices, axis=0)
    assert len(mesh.faces) == 24 and extent[0] / extent[1] == pytest.approx(5, rel=1e-4)
    assert np.allclose(mesh.face_colors, (0, 0.5, 0), atol=0.01)


def test_vertex_colors_are_averaged(tmp_path):
    (tmp_path / "x").mkdir()
    colors = np.tile([255, 0, 0, 255], (8, 1)).astype(np.uint8)
    box = trimesh.creation.box()
    trimesh.Trimesh(box.vertices, box.faces, vertex_colors=colors).export(tmp_path / "x" / "a.ply")
    assert np.allclose(ObjectBank.from_folder(tmp_path)[0].face_colors, (1, 0, 0))


def test_a_table_gives_classes_groups_and_order(folder):
    table = folder / "labels.csv"
    table.write_text("id,class,group\nbox/b.ply,crate,g1\nball/c,sphere,\nbox/a.off,crate,g1\n")
    bank = ObjectBank.from_folder(folder, labels=table)
    assert bank.ids.tolist() == ["box/b.ply", "ball/c.glb", "box/a.off"]
    assert bank.classes.tolist() == ["crate", "sphere", "crate"]
    assert bank.groups.tolist() == ["g1", "ball/c.glb", "g1"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name,class\nbox/b,crate\n", "columns id and class"),
        ("id,class\nbox/b,\n", "line 2: the class of 'box/b' is empty"),
        ("id,class\nbox/b,crate\nbox/b.ply,crate\n", "line 3: 'box/b.ply' is listed twice"),
        ("id,class\n", "lists no object"),
        ("", "columns id and class"),
    ],
)
def test_wrong_tables_are_refused(folder, text, message):
    table = folder / "labels.csv"
    table.write_text(text)
    with pytest.raises(ValueError, match=message):
        ObjectBank.from_folder(folder, labels=table)


def test_a_table_must_be_clear_and_its_meshes_exist(folder):
    trimesh.creation.box().export(folder / "box" / "a.stl")
    table = folder / "labels.csv"
    table.write_text("id,class\nbox/a,crate\n")
    with pytest.raises(ValueError, match=r"may be any of box/a\.off, box/a\.stl"):
        ObjectBank.from_folder(folder, labels=table)
    table.write_text("id,class\nbox/b,crate\n../secret,crate\n")
    with pytest.warns(UserWarning, match=r"\.\./secret: skipped: named by labels, line 3"):
        assert len(ObjectBank.from_folder(folder, labels=table)) == 1
    with pytest.raises(ValueError, match="the folder has no such mesh"):
        ObjectBank.from_folder(folder, labels=table, strict=True)
    with pytest.raises(ValueError, match="labels must be a CSV file"):
        ObjectBank.from_folder(folder, labels=folder / "none.csv")


BROKEN = {
    "empty.obj": b"",
    "points.obj": b"v 0 0 0\nv 1 0 0\nv 0 1 0\n",
    "index.obj": b"v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 9\n",
    "nan.off": b"OFF\n3 1 0\n0 0 nan\n1 0 0\n0 1 0\n3 0 1 2\n",
    "flat.off": b"OFF\n3 1 0\n1 1 1\n1 1 1\n1 1 1\n3 0 1 2\n",
    "text.off": b"hello",
    "cut.ply": b"ply\nformat binary_little_endian 1.0\nelement vertex 3\nproperty float x\nend_header\n\x00",
    "cut.glb": b"glTF\x02\x00\x00\x00",
    "text.glb": b"nothing of the kind, but long enough to hold a header",
    "cut.stl": b"\x00" * 80 + struct.pack("<I", 5) + b"\x00" * 60,
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_meshes_are_named_and_skipped_or_refused(folder, name):
    (folder / "box" / name).write_bytes(BROKEN[name])
    with pytest.warns(UserWarning, match=f"1 of the meshes had problems: box/{name}: skipped: ."):
        assert len(ObjectBank.from_folder(folder)) == 6
    with pytest.raises(ValueError, match=f"^box/{name}: "):
        ObjectBank.from_folder(folder, strict=True)


def glb(tree):
    text = json.dumps(tree).encode().ljust(-(-len(json.dumps(tree)) // 4) * 4)
    return struct.pack("<4sIIII", b"glTF", 2, 20 + len(text), len(text), 0x4E4F534A) + text


HUGE = 2_000_000_000
ANNOUNCED = {
    "a.ply": f"ply\nformat ascii 1.0\nelement vertex 3\nelement face {HUGE}\nend_header\n".encode(),
    "b.ply": f"ply\nformat ascii 1.0\nelement vertex {HUGE}\nproperty float x\nend_header\n".encode(),
    "a.off": f"OFF # large\n3 {HUGE} 0\n".encode(),
    "b.off": f"OFF{HUGE} 1 0\n".encode(),
    "a.stl": b"\x00" * 80 + struct.pack("<I", HUGE),
    "a.glb": glb({"accessors": [{"count": HUGE, "componentType": 5126, "type": "VEC3"}]}),
    "a.obj": b"v 0 0 0\n" * 3 + b"f 1 2 3\n" * 401,
}


@pytest.mark.parametrize("name", ANNOUNCED)
def test_announced_face_counts_are_checked_before_reading(folder, name, monkeypatch):
    for file in folder.rglob("*.*"):
        file.unlink()
    (folder / "box" / name).write_bytes(ANNOUNCED[name])
    monkeypatch.setattr(trimesh, "load_scene", lambda *args, **kwargs: pytest.fail("the file was opened"))
    with pytest.raises(ValueError, match=f"box/{name}: .* are more than max_faces=400"):
        ObjectBank.from_folder(folder, max_faces=400, strict=True)


def test_large_files_and_multiplied_scenes_are_refused(folder):
    (folder / "box" / "long.obj").write_bytes(b"#" * (2**20 + 1))
    with pytest.raises(ValueError, match=r"box/long\.obj: 1,048,577 bytes are more than 1,048,576"):
        ObjectBank.from_folder(folder, max_faces=1000, strict=True)
    (folder / "box" / "long.obj").unlink()
    scene = trimesh.Scene([trimesh.creation.box()])
    for i in range(40):
        scene.graph.update(frame_to=f"copy{i}", geometry=next(iter(scene.geometry)))
    scene.export(folder / "box" / "many.glb")
    with pytest.raises(ValueError, match=r"box/many\.glb: 492 faces are more than max_faces=400"):
        ObjectBank.from_folder(folder, max_faces=400, strict=True)


def test_links_do_not_lead_out_of_the_folder(folder, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside")
    trimesh.creation.box().export(outside / "secret.off")
    (folder / "box" / "link.off").symlink_to(outside / "secret.off")
    (folder / "sphere").symlink_to(outside, target_is_directory=True)
    (folder / "box" / "inside.off").symlink_to(folder / "box" / "a.off")
    with pytest.warns(UserWarning, match=r"sphere: skipped: a symbolic link out.*box/link\.off: skipped: a symbolic"):
        bank = ObjectBank.from_folder(folder)
    assert "box/inside.off" in bank.ids and len(bank) == 7
    with pytest.raises(ValueError, match="a symbolic link out of the folder"):
        ObjectBank.from_folder(folder, strict=True)


def test_materials_are_not_read_from_outside_the_folder(tmp_path):
    root = tmp_path / "data"
    (root / "x").mkdir(parents=True)
    Image.new("RGB", (4, 4), (255, 0, 0)).save(tmp_path / "t.png")
    write_obj(root / "x" / "a.obj", "newmtl m\nKd 0 0 1\nmap_Kd ../../t.png\n", "usemtl m\nf 1/1 2/2 4/3\n")
    with pytest.warns(UserWarning, match=r"x/a\.obj: drawn without \.\./\.\./t\.png, not found in the folder"):
        mesh = ObjectBank.from_folder(root)[0]
    assert not np.allclose(mesh.face_colors, (1, 0, 0))


def test_folders_without_meshes_are_errors(tmp_path):
    with pytest.raises(ValueError, match="holds no mesh: no file in"):
        ObjectBank.from_folder(tmp_path)
    with pytest.raises(ValueError, match="is not a folder"):
        ObjectBank.from_folder(tmp_path / "absent")
    trimesh.creation.box().export(tmp_path / "a.off")
    with pytest.raises(ValueError, match=r"a\.off: skipped: a mesh outside the subfolders has no class"):
        ObjectBank.from_folder(tmp_path)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"up": "x"}, "up must be 'y' or 'z'"),
        ({"max_faces": 0}, "max_faces must be an integer of at least 1"),
        ({"n_faces": 2.5}, "n_faces must be an integer of at least 50"),
        ({"n_faces": 49}, "n_faces must be an integer of at least 50"),
    ],
)
def test_wrong_arguments_are_named(folder, arguments, message):
    with pytest.raises(ValueError, match=message):
        ObjectBank.from_folder(folder, **arguments)


def test_decimation_on_request(tmp_path):
    (tmp_path / "x").mkdir()
    ball = trimesh.creation.icosphere(subdivisions=4)
    colors = np.where(ball.triangles_center[:, 2:] > 0, [255, 0, 0, 255], [0, 0, 255, 255]).astype(np.uint8)
    trimesh.Trimesh(ball.vertices, ball.faces, face_colors=colors, process=False).export(tmp_path / "x" / "a.ply")
    mesh = ObjectBank.from_folder(tmp_path, n_faces=500)[0]
    assert 400 < len(mesh.faces) <= 500
    assert np.allclose(np.linalg.norm(mesh.vertices, axis=1), 0.1, atol=0.002)
    height = mesh.vertices[mesh.faces].mean(axis=1)[:, 2]
    assert np.allclose(mesh.face_colors[height > 0.02], (1, 0, 0))
    assert np.allclose(mesh.face_colors[height < -0.02], (0, 0, 1))


def test_decimation_keeps_volume_closedness_and_borders():
    box = trimesh.creation.box((1, 2, 3))
    for _ in range(3):
        box = box.subdivide()
    sides = np.abs(box.face_normals).argmax(axis=1)
    vertices, faces, materials = decimate(np.asarray(box.vertices), np.asarray(box.faces), sides, 100)
    small = trimesh.Trimesh(vertices, faces, process=False)
    assert len(faces) <= 100 and small.is_watertight
    assert small.volume == pytest.approx(6, rel=1e-4)
    assert np.array_equal(np.abs(small.face_normals).argmax(axis=1), materials)
