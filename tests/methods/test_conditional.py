import numpy as np
import pytest
import torch

import iidgan
from iidgan.core import Batch, Conditioning, Dataset, Nets
from iidgan.engine.inference import iterate_prior, sample_prior
from iidgan.engine.sampling import DatasetStream
from iidgan.errors import InputError
from iidgan.functional.gaussian import p_norm
from iidgan.methods import Conditional, PacGAN, cgan, conditional_iid_gan, pd_gan, r3gan, wgan_gp
from iidgan.terms import (
    GDPP,
    AuxiliaryClassifier,
    Bures,
    GaussianTerm,
    Intervention,
    InverseClassifier,
    ModeSeeking,
)
from iidgan.testing import check_method
from iidgan.testing.mini_run import ARCH
from iidgan.training.run_dir import RunDir
from tests.helpers.networks import IMAGES

ACCURATE_METHODS = ["cgan", "pd-gan", "ac-gan", "conditional-iid-gan"]
"""Conditional methods that keep to narrow modes; mode seeking drives samples out of them."""


def make_batch():
    x = torch.tensor([[[1.0], [2.0], [-1.0], [0.5]]])
    c = torch.eye(2)[[0, 1, 1, 0]][None]
    return Batch(x=x, z=torch.cat([x / 2, c], -1), u=x[..., 0], c=c)


def test_losses_condition_every_call_of_D():
    nets = Nets({"G": lambda code: code[..., :1], "D": lambda x, c: x[..., 0] * c[..., 0]})
    method, batch = cgan(), make_batch()
    discriminator, generator = method.players
    real, fake = torch.tensor([1.0, 0, 0, 0.5]), torch.tensor([0.5, 0, 0, 0.25])
    softplus = torch.nn.functional.softplus
    expected = softplus(-real).mean() + softplus(fake).mean()
    assert discriminator.loss(nets, batch)["adversarial"].item() == pytest.approx(expected.item())
    expected = softplus(-fake).mean()
    assert generator.loss(nets, batch)["adversarial"].item() == pytest.approx(expected.item())


@pytest.mark.slow
@pytest.mark.parametrize("base", [r3gan().method, wgan_gp().method, iidgan.SNGAN()])
@pytest.mark.parametrize("kind", ["concat", "projection", "unconditional"])
def test_every_base_with_every_discriminator(base, kind):
    check_method(Conditional(method=base, discriminator=kind, classes="data"), ARCH)


@pytest.mark.slow
@pytest.mark.parametrize("method", [pd_gan(), conditional_iid_gan()])
def test_images(method):
    check_method(method, IMAGES)


def test_methods_without_a_conditional_form_are_refused():
    with pytest.raises(InputError, match="PacGAN has no conditional form here; use one of GAN"):
        Conditional(method=PacGAN())


@pytest.mark.parametrize("term", [AuxiliaryClassifier(), InverseClassifier()])
def test_classification_needs_a_conditional_method(term):
    method = iidgan.Regularised(method=iidgan.GAN(), terms=(term,))
    with pytest.raises(InputError, match="classification is for conditional methods"):
        _ = method.players


def test_intervention_has_no_conditional_form():
    method = iidgan.Regularised(method=cgan(), terms=(Intervention(),))
    with pytest.raises(InputError, match="intervention has no conditional form"):
        _ = method.players


def test_data_without_labels_are_refused(tmp_path):
    np.save(tmp_path / "points.npy", torch.randn(100, 2).numpy())
    source = iidgan.array(tmp_path / "points.npy")
    run = iidgan.Run(source=source, method=cgan(), steps=1)
    with pytest.raises(InputError, match="a conditional method needs labels"):
        iidgan.train(run, out=tmp_path / "run")


def test_mode_seeking_compares_samples_of_one_class():
    """G separates classes widely, but hardly latents."""
    nets = Nets({"G": lambda code: 0.1 * code[..., :1] + 100 * code[..., 2:]})
    loss = ModeSeeking().compute_loss(nets, make_batch())["mode_seeking"]
    assert loss.item() == pytest.approx(10, rel=1e-3)


def test_gaussian_term_reads_latents_alone():
    batch = make_batch()
    nets = Nets({"F": lambda x: torch.cat([x, torch.full((1, 4, 2), 7.0)], -1)})
    loss = GaussianTerm(weight=1.0).compute_loss(nets, batch)["gaussian"]
    plain = Batch(x=batch.x, z=batch.x, u=batch.u)
    plain_nets = Nets({"F": lambda x: x})
    assert loss.equal(GaussianTerm(weight=1.0).compute_loss(plain_nets, plain)["gaussian"])


class TestStream:
    labels = torch.tensor([0] * 90 + [1] * 10)

    def draw(self, conditioning, steps=None):
        data = Dataset(torch.arange(200.0).view(100, 2), self.labels)
        return DatasetStream(
            data,
            (0, 1),
            batch_size=50,
            latent_dim=3,
            steps=steps,
            conditioning=conditioning,
        )

    def test_codes_end_with_the_classes_of_the_real_samples(self):
        batch = self.draw(Conditioning()).batches_at(5)[0]
        one_hot = torch.nn.functional.one_hot(batch.y, 2).float()
        assert batch.c.equal(one_hot)
        assert batch.z[..., 3:].equal(one_hot)
        assert batch.z.shape == (2, 50, 5)

    @pytest.mark.parametrize(("classes", "share"), [("uniform", 0.5), ("data", 0.1)])
    def test_shares_of_classes(self, classes, share):
        stream = self.draw(Conditioning(classes))
        labels = torch.cat([stream.batches_at(step)[0].y for step in range(100)])
        assert labels.float().mean().item() == pytest.approx(share, abs=0.02)

    def test_classes_of_the_data_leave_samples_and_latents_as_they_are(self):
        conditional, plain = (self.draw(c).batches_at(3)[0] for c in (Conditioning("data"), None))
        assert conditional.x.equal(plain.x)
        assert conditional.z[..., :3].equal(plain.z)

    def test_transition_changes_codes(self):
        stream = self.draw(Conditioning(transition=(0.0, 0.5)), steps=100)
        assert stream.batches_at(0)[0].c.eq(0.5).all()
        assert stream.batches_at(50)[0].c.max() == 1


def test_prior_of_classes_as_in_the_data():
    classes = Dataset(torch.zeros(100, 1), TestStream.labels).classes
    codes = sample_prior((3, 4), 5_000, 2, classes, stream=1)
    assert codes[..., :2].equal(sample_prior((3, 4), 5_000, 2, stream=1))
    assert codes[..., 2:].sum(-1).eq(1).all()
    shares = codes[..., 3].mean(1)
    torch.testing.assert_close(shares, torch.full((2,), 0.1), atol=0.02, rtol=0)
    blocks = list(iterate_prior(4, 5_000, 2, classes, stream=1, block_size=64))
    assert torch.cat(blocks).equal(codes[1])


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "run"
    source = iidgan.Ring(modes=4, size=400)
    run = iidgan.Run(source=source, method=conditional_iid_gan(), steps=20, batch=20)
    iidgan.train(run, out=out, seeds=[0], executor="eager")
    return out


def test_records_of_classes(run_dir):
    records = RunDir(run_dir).read_metric_records()
    families = {record.metric: record.protocol["family"] for record in records}
    assert families["class_accuracy"] == families["classes_covered"] == "conditional-modes"


class TestModel:
    def test_samples_of_a_class_are_those_of_its_codes(self, run_dir):
        model = iidgan.load(run_dir)
        codes = model.sample_prior(10, label=2)
        assert codes[:, 2:].argmax(1).eq(2).all()
        assert model.generate(codes).equal(model.sample(10, label="2"))
        blocks = torch.cat(list(model.iterate_prior(10, label=2)))
        assert blocks.equal(codes)

    def test_inverse_has_latents_and_probabilities(self, run_dir):
        model = iidgan.load(run_dir)
        x = model.sample(7)
        assert model.invert(x).shape == (7, 6)
        assert model.classify(x).equal(model.invert(x)[:, 2:])
        torch.testing.assert_close(model.classify(x).sum(1), torch.ones(7))

    def test_unknown_class(self, run_dir):
        with pytest.raises(InputError, match="label: must be between 0 and 3"):
            iidgan.load(run_dir).sample(1, label=4)

    def test_label_for_an_unconditional_model(self, tmp_path):
        run = iidgan.Run(source=iidgan.Ring(size=100), steps=1)
        iidgan.train(run, out=tmp_path / "run", executor="eager")
        with pytest.raises(InputError, match="label: this model is not conditional"):
            iidgan.load(tmp_path / "run").sample(1, label=0)


@pytest.mark.slow
@pytest.mark.parametrize("name", ACCURATE_METHODS)
def test_each_class_ends_on_its_mode(name, tmp_path):
    source = iidgan.Ring(modes=4, size=4_000)
    run = iidgan.Run(source=source, method=iidgan.methods.METHODS[name](), steps=700)
    iidgan.train(run, out=tmp_path / "run", executor="eager")
    model, data = iidgan.load(tmp_path / "run"), source.load()
    for label in range(4):
        nearest = torch.cdist(model.sample(200, label=label), data.truth.centres).argmin(1)
        real_mode = torch.cdist(data.x[data.y == label][:1], data.truth.centres).argmin()
        assert nearest.eq(real_mode).float().mean() > 0.95


class TestGaussianPerClass:
    def test_mean_of_the_distances_of_the_classes(self):
        torch.manual_seed(0)
        z, c = torch.randn(2, 7, 3), torch.eye(2)[torch.arange(7) % 2].expand(2, 7, 2)
        batch = Batch(x=z, z=torch.cat([z, c], -1), u=z[..., 0], c=c)
        nets = Nets({"F": lambda x: torch.cat([x, c], -1)})
        term = GaussianTerm(weight=2.0, per_class=True)
        loss = term.compute_loss(nets, batch)["gaussian"]
        parts = [p_norm(z[:, start:6:2]) for start in (0, 1)]  # the seventh is left out
        torch.testing.assert_close(loss, parts[0] + parts[1])

    @pytest.mark.slow
    @pytest.mark.parametrize("distance", ["w2-1d", "epps-pulley"])
    def test_check_method(self, distance):
        gaussian = GaussianTerm(distance=distance, directions=4, per_class=True)
        check_method(conditional_iid_gan(gaussian=gaussian), ARCH)

    @pytest.mark.parametrize("base", [iidgan.GAN(), cgan(classes="data")])
    def test_needs_uniform_classes(self, base):
        method = iidgan.iid_gan(base, gaussian=GaussianTerm(per_class=True))
        with pytest.raises(InputError, match="conditional methods with uniform classes"):
            _ = method.players

    def test_small_batch(self):
        batch = make_batch()
        small = Batch(x=batch.x[:, :3], z=batch.z[:, :3], u=batch.u[:, :3], c=batch.c[:, :3])
        nets = Nets({"F": lambda x: torch.cat([x, small.c], -1)})
        with pytest.raises(InputError, match="batch: must be at least 4 for a Gaussian loss per"):
            GaussianTerm(per_class=True).compute_loss(nets, small)


@pytest.mark.slow
@pytest.mark.parametrize("term", [GDPP(), Bures(), AuxiliaryClassifier()])
def test_terms_on_features_of_a_discriminator_that_reads_classes(term):
    check_method(iidgan.Regularised(method=cgan(), terms=(term,)), ARCH)


def test_inverse_classifier_trains_G_only_with_both_kinds_of_samples():
    generator = torch.nn.Linear(3, 1)
    nets = Nets({"G": generator, "F": lambda x: torch.cat([x, x.sigmoid(), 1 - x.sigmoid()], -1)})
    batch = make_batch()
    real = InverseClassifier(weight=2.0).compute_loss(nets, batch)
    both = InverseClassifier(weight=2.0, samples="both").compute_loss(nets, batch)
    assert both["inverse_classifier"].item() == real["inverse_classifier"].item()
    assert not real["inverse_classifier"].requires_grad
    signs = torch.tensor([1.0, -1, -1, 1])  # of x where sigmoid(x) is the probability of its class
    x = generator(batch.z)[0, :, 0]
    expected = -2 * torch.nn.functional.logsigmoid(signs * x).mean()
    assert both["inverse_classifier_fake"].item() == pytest.approx(expected.item())
    both["inverse_classifier_fake"].sum().backward()
    assert generator.weight.grad.abs().min() > 0


def test_classification_of_generated_samples_is_omitted_from_ids():
    runs = [
        iidgan.Run(method=iidgan.Regularised(method=cgan(), terms=(InverseClassifier(samples=s),)))
        for s in ("real", "both")
    ]
    terms = [run.to_dict()["method"]["terms"][0] for run in runs]
    assert ["samples" in term for term in terms] == [False, True]


def test_inverse_classifier_has_gradients_where_F_is_wrong():
    batch, logits = make_batch(), torch.tensor([[[-30.0, 30.0]]]).repeat(1, 4, 1).requires_grad_()
    nets = Nets({"F": lambda x: torch.cat([x, logits.softmax(-1)], -1)})
    InverseClassifier().compute_loss(nets, batch)["inverse_classifier"].sum().backward()
    expected = torch.tensor([[-0.25, 0.25], [0, 0], [0, 0], [-0.25, 0.25]])
    torch.testing.assert_close(logits.grad[0], expected, atol=1e-6, rtol=1e-4)


@pytest.mark.parametrize(
    "create", [cgan, pd_gan, iidgan.msgan, iidgan.ac_gan, conditional_iid_gan]
)
def test_factories_pass_classes_and_transition_on(create):
    method = create("data", (0.1, 0.3))
    assert method.conditioning == Conditioning("data", (0.1, 0.3))
