"""The comparison with ParticleGAN, without its package."""

from benchmarks import particlegan


def test_missing_package_is_skipped_by_name(monkeypatch):
    monkeypatch.setattr(particlegan, "is_installed", lambda: False)
    monkeypatch.setattr(particlegan, "SOURCES", {})
    *table, last_line = particlegan.compare(steps=1, batch=2, seeds=1)
    assert len(table) == 2  # the heading
    assert "ParticleGAN" in last_line
    assert "pip install particlegan" in last_line
