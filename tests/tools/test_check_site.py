"""Checks of the built site: each kind of fault in a page is one line."""

import pytest

from tools.check_site import check_site, main

PAGE = '<html><head>{head}</head><body><h1 id="top">Title</h1>{body}</body></html>'


def write_page(folder, head="", body="", name="index.html"):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(PAGE.format(head=head, body=body), encoding="utf-8")


def test_page_without_faults(tmp_path, capsys):
    (tmp_path / "figure 1.png").touch()
    write_page(tmp_path, name="guides/index.html")
    write_page(
        tmp_path,
        head='<link rel="canonical" href="https://example.org/">',
        body='<a href="#top">1</a><a href="guides/index.html#top">2</a><a href="guides/">3</a>'
        '<a href="https://example.org/">4</a><a href="mailto:a@example.org">5</a>'
        '<img src="figure%201.png"><img src="data:image/png;base64,AA==">',
    )
    assert main([str(tmp_path)]) == 0
    assert capsys.readouterr().out == "0 faults\n"


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ('<a href="lost.html">1</a>', "refers to lost.html, which does not exist"),
        ('<a href="/lost/">1</a>', "refers to /lost/, which does not exist"),
        ('<a href="#lost">1</a>', "refers to #lost, but there is no such anchor"),
        (
            '<a href="other.html#lost">1</a>',
            "refers to other.html#lost, but there is no such anchor",
        ),
        ('<img src="lost.png">', "refers to lost.png, which does not exist"),
        (
            '<script src="https://example.org/a.js"></script>',
            "asks another host for https://example.org/a.js",
        ),
        ('<img src="//example.org/a.png">', "asks another host for //example.org/a.png"),
        (
            "<style>p { background: url('https://example.org/b.png') }</style>",
            "asks another host for https://example.org/b.png",
        ),
        ('<span class="arithmatex">x</span>', "contains a formula that was not converted"),
    ],
)
def test_fault(tmp_path, body, fault):
    write_page(tmp_path, name="other.html")
    write_page(tmp_path, body=body)
    assert check_site(tmp_path) == [f"index.html: {fault}"]
    assert main([str(tmp_path)]) == 1


def test_fonts_of_another_host_in_a_stylesheet(tmp_path):
    (tmp_path / "site.css").write_text('@import "https://example.org/font.css";', encoding="utf-8")
    assert check_site(tmp_path) == ["site.css: asks another host for https://example.org/font.css"]
