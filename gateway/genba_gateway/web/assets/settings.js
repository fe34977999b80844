// The zone of a schedule that is set for the first time is the viewer's own.

const zone = document.querySelector("[data-zone='yes']");
if (zone && !zone.value) zone.value = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
