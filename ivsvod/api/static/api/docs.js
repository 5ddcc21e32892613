"use strict";

// Swagger UI with the OpenAPI document of this service; no request goes to another host.
(function () {
  SwaggerUIBundle({
    domNode: document.getElementById("api"),
    url: document.getElementById("api").dataset.schema,
    deepLinking: true,
    persistAuthorization: false,
    displayOperationId: true,
    // The stock validator is an external service.
    validatorUrl: null,
    requestInterceptor: function (request) {
      // Requests with a session of the admin need its CSRF token for writes.
      const token = document.cookie.match(/(?:^|; )csrftoken=([^;]*)/);
      if (token && !request.headers.Authorization) {
        request.headers["X-CSRFToken"] = decodeURIComponent(token[1]);
      }
      return request;
    },
  });
})();
