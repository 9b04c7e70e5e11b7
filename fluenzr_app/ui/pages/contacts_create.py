"""The form for a new contact."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import reflex as rx

from fluenzr_app.contacts import service
from fluenzr_app.contacts.custom_fields import list_custom_fields
from fluenzr_app.contacts.custom_values import FieldDefinition
from fluenzr_app.contacts.errors import ContactsError, EmailTaken
from fluenzr_app.db.ids import BadPublicId, parse_public_id, public_id
from fluenzr_app.ui.components.buttons import button
from fluenzr_app.ui.components.forms import checkbox, choice, choice_of, field, form, grid, text_area, text_input
from fluenzr_app.ui.components.frame import drawer, stack
from fluenzr_app.ui.components.status import callout
from fluenzr_app.ui.components.values import icon, link
from fluenzr_app.ui.guard import acting
from fluenzr_app.ui.kept import kept, kept_is_saved
from fluenzr_app.ui.language import t, words
from fluenzr_app.ui.pages.contacts_list import ContactsState
from fluenzr_app.ui.pages.contacts_query import ListQuery, read_query
from fluenzr_app.ui.pages.contacts_words import consent_choices, field_at_fault, told

FORM = "new-contact"
_PLAIN = ("first_name", "last_name", "company", "job_title", "phone", "website", "linkedin_url", "city", "country")
_MORE = ("phone", "website", "linkedin_url", "city", "country", "language", "timezone")


@dataclass(frozen=True)
class OwnField:
    """A custom field with the value that a contact has in it, as text."""

    name: str
    label: str
    type: str
    options: list[str]
    required: bool
    value: str = ""


def own_field(definition: FieldDefinition, value: str = "") -> OwnField:
    """Return a custom field as the pages show it."""
    return OwnField(
        definition.name,
        definition.label or definition.name,
        definition.type,
        list(definition.options),
        definition.required,
        value,
    )


class NewContactState(rx.State):
    """What is wrong with the new contact; what was typed stays in the form itself."""

    is_open: bool = False
    errors: dict[str, str] = {}
    failure: str = ""
    taken_id: str = ""
    taken_name: str = ""
    own: list[OwnField] = []
    consent: str = "not_specified"
    saving: bool = False

    @rx.event
    async def load(self) -> None:
        """Open the form if the address says so."""
        me = await acting(self)
        self.is_open = read_query(dict(self.router.url.query_parameters)).new == "1"
        if self.is_open:
            self._forget()
            self.consent = "not_specified"
            self.own = [
                own_field(definition, definition.default)
                for definition in await me.read(list_custom_fields, me.workspace_id)
            ]

    @rx.event
    async def choose_consent(self, source: str) -> None:
        """Show what a source of consent needs."""
        await acting(self)
        self.consent = source[:40]

    @rx.event
    async def save(self, given: dict[str, Any]) -> Any:
        """Store the contact and open it; refusals stand at their fields."""
        me = await acting(self)
        self._forget()
        try:
            card = await me.write(service.create_contact, me.runtime.keyring, me.workspace_id, _values(given), me.now)
        except EmailTaken as error:
            self.errors = {"email": told(me.lang, error)}
            self.taken_id = public_id("con", error.contact_id)
            self.taken_name = str(error.details["email"])
            return None
        except ContactsError as error:
            at_fault = field_at_fault(error)
            if at_fault:
                self.errors = {at_fault: told(me.lang, error)}
            else:
                self.failure = told(me.lang, error)
            return None
        asked = read_query(dict(self.router.url.query_parameters))
        opened = ListQuery(**{**vars(asked), "new": "", "open": public_id("con", card.contact.id or 0)})
        return [
            rx.toast.success(words(me.lang, "contacts.created", email=card.contact.email)),
            kept_is_saved("contacts-new"),
            rx.redirect(opened.address()),
        ]

    @rx.event
    async def open_taken(self) -> Any:
        """Open the contact that has the address already."""
        await acting(self)
        asked = read_query(dict(self.router.url.query_parameters))
        return rx.redirect(ListQuery(**{**vars(asked), "new": "", "open": self.taken_id}).address())

    def _forget(self) -> None:
        self.errors, self.failure, self.taken_id, self.taken_name = {}, "", "", ""


def _values(given: dict[str, Any]) -> dict[str, Any]:
    """Return the form's fields under the names that the room knows."""
    values: dict[str, Any] = {
        name: str(given[name]) for name in ("email", *_PLAIN, "language", "timezone", "notes") if name in given
    }
    values["consent_source"] = str(given.get("consent_source") or "not_specified")
    if "consent_notes" in given:
        values["consent_notes"] = str(given["consent_notes"])
    if given.get("consent_at"):
        values["consent_at"] = str(given["consent_at"])
    values["tags"] = [tag for tag in str(given.get("tags", "")).split(",") if tag.strip()]
    if group := str(given.get("group", "")):
        try:
            values["group_ids"] = [parse_public_id("grp", group)]
        except BadPublicId:
            values["group_ids"] = [0]
    values["custom_fields"] = {name[4:]: value for name, value in given.items() if name.startswith("own:")}
    return values


def new_drawer() -> rx.Component:
    """Return the drawer with the form."""
    state = NewContactState
    taken = rx.cond(
        state.taken_id != "",
        rx.el.div(
            icon("user-round-check"),
            rx.el.div(t("contacts.taken", email=state.taken_name)),
            button(t("contacts.open_taken"), size="small", on_click=NewContactState.open_taken),
            class_name="fz-banner fz-callout fzc-taken",
            data_tone="attention",
            role="alert",
        ),
    )
    wrong = rx.cond(state.failure != "", callout(state.failure, "error", "circle-alert"))
    body = form(
        taken,
        wrong,
        _input("email", input_mode="email", auto_focus=True, required=True),
        grid(_input("first_name"), _input("last_name"), _input("company"), _input("job_title")),
        grid(
            field(
                t("contacts.field.tags"),
                text_input(name="tags", list="new-tags"),
                help=t("contacts.tags_help"),
                error=_error("tags"),
            ),
            field(
                t("contacts.field.group"),
                choice_of(
                    ContactsState.groups,
                    lambda group: group.id,
                    lambda group: group.name,
                    name="group",
                    first=("", t("contacts.no_group")),
                ),
            ),
        ),
        rx.el.datalist(rx.foreach(ContactsState.tags, lambda tag: rx.el.option(value=tag)), id="new-tags"),
        _consent(),
        rx.foreach(state.own, own_input),
        rx.el.details(
            rx.el.summary(t("contacts.more_fields"), class_name="fz-link"),
            stack(
                grid(*[_input(name) for name in _MORE]),
                field(t("contacts.field.notes"), text_area(name="notes"), error=_error("notes")),
            ),
            class_name="fzc-more",
        ),
        kept("contacts-new"),
        on_submit=NewContactState.save,
        id=FORM,
    )
    return drawer(
        t("contacts.new_title"),
        body,
        is_open=state.is_open,
        on_close=ContactsState.close,
        subtitle=t("contacts.new_words"),
        icon_name="user-round-plus",
        footer=rx.el.div(
            link(t("contacts.import_instead"), "/contacts/import"),
            rx.el.div(
                button(t("common.cancel"), on_click=ContactsState.close),
                button(t("contacts.create"), kind="solid", submit=True, form=FORM),
                class_name="fz-row",
            ),
            class_name="fzc-new-foot",
        ),
    )


def _consent() -> rx.Component:
    state = NewContactState
    return stack(
        grid(
            field(
                t("contacts.field.consent_source"),
                choice(
                    consent_choices(),
                    name="consent_source",
                    default_value=state.consent,
                    on_change=NewContactState.choose_consent,
                ),
                help=rx.cond(
                    state.consent == "not_specified", t("contacts.consent_warning"), t("contacts.consent_help")
                ),
                error=_error("consent_source"),
            ),
            field(
                t("contacts.field.consent_at"),
                text_input(name="consent_at", type="date"),
                help=t("contacts.consent_at_help"),
                error=_error("consent_at"),
            ),
        ),
        rx.cond(
            state.consent == "other",
            field(t("contacts.field.consent_notes"), text_input(name="consent_notes"), error=_error("consent_notes")),
        ),
    )


def own_input(own: rx.Var[OwnField]) -> rx.Component:
    """Return the control for one custom field, named `own:<name>`."""
    return field(own.label, _own_control(own), error=NewContactState.errors.get(own.name, ""))


def _own_control(own: rx.Var[OwnField]) -> rx.Component:
    name = "own:" + own.name
    return rx.match(
        own.type,
        ("number", text_input(name=name, input_mode="decimal", default_value=own.value)),
        ("date", text_input(name=name, type="date", default_value=own.value)),
        ("url", text_input(name=name, type="url", placeholder="https://", default_value=own.value)),
        ("checkbox", checkbox(t("contacts.yes"), name=name, value="true", default_checked=own.value == "true")),
        (
            "dropdown",
            rx.el.select(
                rx.el.option("", value=""),
                rx.foreach(own.options, lambda option: rx.el.option(option, value=option)),
                name=name,
                default_value=own.value,
                class_name="fz-input fz-choice",
            ),
        ),
        text_input(name=name, default_value=own.value),
    )


def _input(name: str, **props: Any) -> rx.Component:
    return field(t(f"contacts.field.{name}"), text_input(name=name, **props), error=_error(name))


def _error(name: str) -> rx.Var[str]:
    return NewContactState.errors.get(name, "").to(str)
