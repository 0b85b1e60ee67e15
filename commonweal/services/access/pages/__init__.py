"""The pages of access."""

from __future__ import annotations

from django.urls import path

from commonweal.services.access.pages import cities, places, profiles, reports, routes

app_name = "access"
urlpatterns = [
    path("", routes.route, name="route"),
    path("places/", places.places, name="places"),
    path("places/<str:region>/<str:kind>/<int:number>/", places.place, name="place"),
    path("reports/", reports.reports, name="reports"),
    path("reports/new/", reports.new, name="new"),
    path("reports/<uuid:report>/", reports.report, name="report"),
    path("cities/", cities.cities, name="cities"),
    path("cities/<str:region>/", cities.city, name="city"),
    path("profiles/", profiles.profiles, name="profiles"),
    path("profiles/<uuid:profile>/", profiles.profile, name="profile"),
]
