from __future__ import annotations

import numpy as np
import pytest

from isocenter.bundle import first_width, refuse_external
from isocenter.errors import BundleError

onnx = pytest.importorskip("onnx")
from onnx import TensorProto, helper, numpy_helper  # noqa: E402


@pytest.fixture
def model(conv_network):
    return onnx.load_from_string(
        conv_network((np.ones((7, 1, 3, 3)), np.zeros(7)), (np.ones((2, 7, 1, 1)), np.zeros(2)))
    )


def outside(tensor, path="../../x"):
    onnx.external_data_helper.set_external_data(tensor, path)
    return tensor


def tensor():
    return numpy_helper.from_array(np.ones(3, np.float32), "t")


def test_a_whole_network_passes(model):
    refuse_external(model.SerializeToString())


def test_data_elsewhere_are_found_wherever_they_hide(model):
    branch = helper.make_graph([], "inner", [], [], [outside(tensor())])
    hidden = [
        lambda m: outside(m.graph.initializer[1]),
        lambda m: m.graph.node[0].attribute.append(helper.make_attribute("t", outside(tensor()))),
        lambda m: m.graph.node[0].attribute.append(helper.make_attribute("t", [tensor(), outside(tensor())])),
        lambda m: m.graph.node[0].attribute.append(helper.make_attribute("g", branch)),
        lambda m: m.graph.node[0].attribute.append(helper.make_attribute("g", [branch])),
        lambda m: m.graph.sparse_initializer.append(helper.make_sparse_tensor(outside(tensor()), tensor(), [9])),
        lambda m: m.graph.sparse_initializer.append(helper.make_sparse_tensor(tensor(), outside(tensor()), [9])),
        lambda m: m.functions.append(
            helper.make_function(
                "d", "f", [], ["o"], [helper.make_node("Constant", [], ["o"], value=outside(tensor()))], []
            )
        ),
        lambda m: m.training_info.add().algorithm.initializer.append(outside(tensor())),
    ]
    for hide in hidden:
        changed = onnx.ModelProto()
        changed.CopyFrom(model)
        hide(changed)
        with pytest.raises(BundleError, match="other files"):
            refuse_external(changed.SerializeToString())


def test_the_location_alone_is_enough(model):
    model.graph.initializer[0].data_location = TensorProto.EXTERNAL
    with pytest.raises(BundleError, match="other files"):
        refuse_external(model.SerializeToString())


def test_a_network_nested_without_end_is_refused(model):
    graph = model.graph
    for _ in range(30):
        graph = helper.make_graph([helper.make_node("If", [], [], then_branch=graph)], "g", [], [])
    with pytest.raises(BundleError, match="nested"):
        refuse_external(helper.make_model(graph).SerializeToString())


@pytest.mark.parametrize(
    "data", [b"\xff", b"\x3a\xff\xff\xff\xff\xff\x0f", b"\x0b", b"\xff" * 30, b"\x39abc", b"\x3a\x05ab"]
)
def test_damage_is_a_typed_error(data):
    with pytest.raises(BundleError, match="damaged"):
        refuse_external(data)


def test_any_bytes_end_in_a_verdict(model, rng):
    data = bytearray(model.SerializeToString())
    for _ in range(300):
        changed = bytearray(data)
        for at in rng.integers(0, len(data), 3):
            changed[at] = rng.integers(0, 256)
        try:
            refuse_external(bytes(changed))
            first_width(bytes(changed))
        except BundleError:
            continue


def test_width_of_the_first_convolution(model):
    assert first_width(model.SerializeToString()) == 7
    assert first_width(b"") is None
    packed_dims = onnx.load_from_string(model.SerializeToString())
    assert list(packed_dims.graph.initializer[0].dims) == [7, 1, 3, 3]


def test_inner_values_have_names_and_may_be_the_answer(model):
    from isocenter.bundle import until, values

    data = model.SerializeToString()
    assert values(data) == [("Conv", "c0"), ("Relu", "r0"), ("Conv", "c1")] and values(b"") == []
    cut = onnx.load_from_string(until(data, ["r0"]))
    assert [n.op_type for n in cut.graph.node] == ["Conv", "Relu"] and [o.name for o in cut.graph.output] == ["r0"]
    assert [i.name for i in cut.graph.input] == ["input"] and len(cut.graph.initializer) == 4
    assert cut.opset_import == model.opset_import and cut.ir_version == model.ir_version
    both = onnx.load_from_string(until(data, ["c0", "c1"]))
    assert [o.name for o in both.graph.output] == ["c0", "c1"] and len(both.graph.node) == 3
    with pytest.raises(BundleError, match="no such inner value"):
        until(data, ["x"])
    with pytest.raises(BundleError, match="damaged"):
        until(data[:-3], ["r0"])


def test_inner_values_of_a_large_network_keep_their_bytes(conv_network):
    from isocenter.bundle import until

    weights = np.random.default_rng(0).normal(size=(300, 1, 3, 3)).astype(np.float32)
    data = conv_network((weights, np.zeros(300)), (np.ones((2, 300, 1, 1)), np.zeros(2)))
    cut = onnx.load_from_string(until(data, ["c0"]))
    assert np.array_equal(numpy_helper.to_array(cut.graph.initializer[0]), weights)
