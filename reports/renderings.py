"""What people read of a verdict beside Allure's page, as the bytes of files in the run's folder."""

from reports import allure, landing, signoff
from reports.evidence import Bundle
from reports.judge import Verdict

ALLURE_PAGE = "allure/index.html"


def files(judged: Verdict, bundle: Bundle, *, with_allure: bool) -> dict[str, bytes]:
    """index.html and signoff.md; the page links into Allure's only where that was rendered."""
    page = landing.render(judged, bundle, allure.links(bundle), ALLURE_PAGE if with_allure else None)
    return {
        "index.html": page.encode(),
        "signoff.md": signoff.render(judged, bundle).encode(),
    }
