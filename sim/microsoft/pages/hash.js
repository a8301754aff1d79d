// Deep links of the real portals carry the place behind a '#': follow them here.
(function () {
  var h = decodeURIComponent(location.hash), m;
  if ((m = h.match(/appId\/([0-9a-fA-F-]{36})/))) {
    var tab = /~\/Credentials/.test(h) ? '/credentials' : /~\/CallAnAPI/.test(h) ? '/permissions' : /~\/Authentication/.test(h) ? '/authentication' : '';
    location.replace('/entra/apps/' + m[1] + tab);
  } else if (/ApplicationsListBlade/.test(h)) {
    location.replace('/entra/apps');
  } else if (/Settings\/OrganizationProfile/i.test(h)) {
    location.replace('/admin/settings/organization-profile');
  } else if ((m = h.match(/servicehealth\/:\/alerts\/([A-Za-z0-9]+)/))) {
    location.replace('/admin/servicehealth/' + m[1]);
  } else if (/servicehealth/.test(h)) {
    location.replace('/admin/servicehealth');
  }
})();
